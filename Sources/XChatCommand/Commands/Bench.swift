import ArgumentParser
import XChat
import XChatBench
import XChatEngine

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure the crypto throughput of this machine.",
        discussion: """
            Measures each operation and its floor in turns. The floor is the time of the primitives of libsodium and \
            BoringSSL alone, in the same process and on the same number of cores. The ratio of the two shows the cost \
            of the engine around them. Nothing is read or written, and all keys are made for the run.

            - seal_text_N: encrypts and signs a text of N bytes;
            - open_text_1k: from the base64 of an event to its verified contents;
            - verify: from the base64 of an event to the result of the verification;
            - wrap_key, unwrap_key: one conversation key for one user;
            - key_change_100: a key change for 100 members;
            - batch_open_10k: from the base64 of 10,000 messages to their contents;
            - stream_seal, stream_open: a mebibyte of media in pushes of 1 MiB, or with the ending _64k or _1k in \
            pushes of 64 KiB or 1 KiB.

            Names that begin with sodium_ belong to the suite sodium. Media are the same in both suites.

            A floor has texts of the same lengths. For sealing it is one signature and one secretbox; for opening, a \
            verification and a secretbox; for a key change, the wraps of all members and a signature; for media, one \
            secretstream. If an operation uses all cores (a key change, a batch, decryption in pushes of 1 MiB), its \
            floor does too.

            With --json a list is printed: {"name": …, "median_ns": …, "floor_ns": …, "ratio_to_floor": …, \
            "per_second": …}. Times are nanoseconds for one operation. Use a release build: the figures of a debug \
            build are meaningless.

            Example:
              xchat bench --quick --json
            """
    )

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    @Flag(help: "Measure for less time; ends within a minute.")
    var quick = false

    func run() throws {
        let cases: BenchCases
        do {
            cases = try BenchCases.all(quick ? .quick : .full)
        } catch let error as XChatError {
            throw CommandError("\(error)")
        }
        if json {
            try Output.result(json: cases.json)
        } else {
            try Output.result(cases.table)
        }
    }
}
