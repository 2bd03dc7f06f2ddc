import Foundation
import XChatFuzzing

/// The target that the environment names.
private let target: FuzzTarget = {
    let name = ProcessInfo.processInfo.environment["XCHAT_FUZZ_TARGET"]
    guard let target = name.flatMap(FuzzTarget.init) else {
        fatalError("XCHAT_FUZZ_TARGET must be one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return target
}()

/// With XCHAT_FUZZ_SEEDS, the path of `Fuzz/`, writes the seeds and the dictionary of the target, and ends the process.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutableRawPointer, _ arguments: UnsafeMutableRawPointer) -> CInt {
    guard let folder = ProcessInfo.processInfo.environment["XCHAT_FUZZ_SEEDS"] else { return 0 }
    do {
        try writeSeeds(of: target, to: URL(filePath: folder))
    } catch {
        fatalError("\(target): \(error)")
    }
    exit(0)
}

/// Feeds one input to the target; a broken rule ends the process, as a trap would.
@_cdecl("LLVMFuzzerTestOneInput")
public func run(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try target.run(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
    } catch {
        fatalError("\(target): \(error)")
    }
    return 0
}

#if os(Linux)
    private typealias Callback = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
    private typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>

    /// A function of libFuzzer's C interface.
    @_silgen_name("LLVMFuzzerRunDriver")
    private func runDriver(_ count: UnsafeMutablePointer<CInt>, _ arguments: Arguments, _ callback: Callback) -> CInt

    /// Where a debug build of SwiftPM starts on Linux, instead of in libFuzzer's `main`; it does the same.
    @_cdecl("Fuzz_main")
    public func main(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
        var (count, arguments) = unsafe (count, arguments)
        return unsafe runDriver(&count, &arguments, { start, count in unsafe run(start, count) })
    }
#endif

private func writeSeeds(of target: FuzzTarget, to folder: URL) throws {
    let corpus = folder.appending(path: "Corpus/\(target.rawValue)")
    try FileManager.default.createDirectory(at: corpus, withIntermediateDirectories: true)
    for (name, bytes) in try target.seeds() { try Data(bytes).write(to: corpus.appending(path: "seed-\(name)")) }
    let words = folder.appending(path: "Words")
    try FileManager.default.createDirectory(at: words, withIntermediateDirectories: true)
    let lines = target.words.map { word in
        let escaped = word.utf8.map { byte in
            (0x20...0x7E).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
                ? String(UnicodeScalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return "\"\(escaped.joined())\"\n"
    }
    try Data(lines.joined().utf8).write(to: words.appending(path: target.rawValue))
}
