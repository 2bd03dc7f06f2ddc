#if TESTABLE
    /// An entry point for hostile bytes, with the rules that must hold for every input.
    ///
    /// `script/fuzz` runs them under libFuzzer; the tests replay the corpus and each input that once broke a rule.
    public enum FuzzTarget: String, CaseIterable, Sendable {
        /// Thrift without a schema.
        case thrift
        /// The structs of the schema.
        case structs
        /// An event, from its bytes to the verdict on its signature.
        case events
        /// Base64 in both directions.
        case base64
        /// JSON and the session document.
        case document
        /// The encodings in which state is stored.
        case state
        /// The bodies of answers of X's API.
        case answers
        /// The lines of the activity stream.
        case stream
        /// The headers of a refusal, and the pause before a retry.
        case headers
        /// Media streams and runs of their frames.
        case media
        /// The type and the dimensions of a file, which are read from its first bytes.
        case mediaInfo
        /// The request of a webhook.
        case webhook
        /// The account file.
        case accountFile
        /// Requests to the sandbox.
        case sandbox

        private var implementation: any FuzzTargetImplementation.Type {
            switch self {
            case .thrift: ThriftTarget.self
            case .structs: StructsTarget.self
            case .events: EventsTarget.self
            case .base64: Base64Target.self
            case .document: DocumentTarget.self
            case .state: StateTarget.self
            case .answers: AnswersTarget.self
            case .stream: StreamTarget.self
            case .headers: HeadersTarget.self
            case .media: MediaTarget.self
            case .mediaInfo: MediaInfoTarget.self
            case .webhook: WebhookTarget.self
            case .accountFile: AccountFileTarget.self
            case .sandbox: SandboxTarget.self
            }
        }

        /// Runs the code under test with one input.
        ///
        /// The call may block its thread: do not call it on a thread of the cooperative thread pool.
        /// - Parameter input: Any bytes.
        /// - Throws: The rule that the code broke. An input that the code correctly rejects is not an error.
        public func run(_ input: [UInt8]) throws {
            try implementation.run(input)
        }

        /// Makes inputs that the code accepts, with which a fuzzer starts.
        ///
        /// - Returns: The contents of files by their names.
        /// - Throws: An error of the code that makes them.
        public func seeds() throws -> [String: [UInt8]] {
            try implementation.seeds()
        }

        /// Words of the format, for libFuzzer's mutations.
        public var words: [String] { implementation.words }
    }

    /// The rules and seeds of one target.
    protocol FuzzTargetImplementation {
        static func run(_ input: [UInt8]) throws
        static func seeds() throws -> [String: [UInt8]]
        static var words: [String] { get }
    }

    extension FuzzTargetImplementation {
        static var words: [String] { [] }
    }

    /// A rule that does not hold.
    struct FuzzFailure: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    /// Checks a rule.
    func require(_ condition: Bool, _ rule: @autoclosure () -> String) throws(FuzzFailure) {
        guard condition else { throw FuzzFailure(rule()) }
    }

    /// Whether an id or a version is 1 to 19 ASCII digits.
    func isNumber(_ value: some CustomStringConvertible) -> Bool {
        let digits = value.description.utf8
        return (1...19).contains(digits.count) && digits.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Checks that a text of our code is safe for a terminal and a log: one line of limited length without control
    /// characters.
    func require(printable text: String, limit: Int = 4096) throws(FuzzFailure) {
        try require(text.utf8.count <= limit, "a text of ours is longer than \(limit) bytes")
        let isPrintable = text.unicodeScalars.allSatisfy { scalar in
            scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value) && scalar.value != 0x2028
                && scalar.value != 0x2029
        }
        try require(isPrintable, "a text of ours has control characters: \(text.debugDescription)")
    }

    /// Reads values from an input; beyond its end all values are 0 or empty.
    struct FuzzInput {
        private(set) var rest: ArraySlice<UInt8>

        init(_ bytes: [UInt8]) {
            rest = bytes[...]
        }

        var isAtEnd: Bool { rest.isEmpty }

        mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

        mutating func number(below limit: Int) -> Int { Int(byte()) % limit }

        /// Two bytes, most significant first.
        mutating func short() -> Int { Int(byte()) << 8 | Int(byte()) }

        mutating func bytes(_ count: Int) -> [UInt8] {
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
    }
#endif
