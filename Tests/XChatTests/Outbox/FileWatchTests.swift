import Foundation
import TestSupport
import Testing

@testable import XChat

/// Changes by another process are distinguished from those by this one.
struct FileWatchTests {
    private let folder = try? ScratchFolder()

    private func watchedFile() throws -> (watch: FileWatch, write: (String) throws -> Void) {
        let path = try #require(folder).path + "/watched"
        let write = { (text: String) in try Data(text.utf8).write(to: URL(filePath: path)) }
        try write("")
        let watch = FileWatch(path)
        watch.settle()
        return (watch, write)
    }

    @Test func `a change of another process is noticed`() throws {
        let (watch, write) = try watchedFile()
        try write("other")
        #expect(watch.hasChanged())
    }

    @Test func `a change of this process is not noticed, neither while it is made nor afterwards`() throws {
        let (watch, write) = try watchedFile()
        watch.beginOwnChange()
        try write("own")
        #expect(!watch.hasChanged())
        watch.settle()
        #expect(!watch.hasChanged())
    }

    @Test func `a change that failed is noticed if it changed the file`() throws {
        let (watch, write) = try watchedFile()
        watch.beginOwnChange()
        try write("half")
        watch.endOwnChange()
        #expect(watch.hasChanged())
    }
}
