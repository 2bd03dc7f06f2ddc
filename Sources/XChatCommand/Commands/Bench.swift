import ArgumentParser
import XChat
import XChatBench
import XChatEngine

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure the crypto throughput of this machine.",
        discussion: """
            Measures each operation, and in turn with it its floor: the same primitives of libsodium and BoringSSL called \
            bare, in the same process, over the same number of cores. The ratio of the two is what this program adds. Nothing \
            is read or written, and every key is made for the run.

            seal_text_N seals and signs a text of N bytes; open_text_1k goes from base64 to the verified contents, verify \
            from base64 to the verdict; wrap_key and unwrap_key are one conversation key and one person; key_change_100 a \
            key change for 100 members; batch_open_10k goes from base64 to the contents of 10,000 messages; stream_seal and \
            stream_open are a mebibyte of media in pushes of 1 MiB, those ending in _64k and _1k in pushes of 64 KiB and \
            1 KiB. Names with sodium_ in front are those of the suite sodium; media are the same in both.

            The floor of an operation is over texts of the same lengths: of sealing, one signature and one secretbox; of \
            opening, a verification and a secretbox; of a key change, as many wraps and a signature; of media, one \
            secretstream. What uses every core (a key change, a batch, decryption in pushes of 1 MiB) has a floor that does.

            With --json: a list of {"name": …, "median_ns": …, "floor_ns": …, "ratio_to_floor": …, "per_second": …}, \
            times for a whole operation in nanoseconds. Figures of a debug build say nothing.

            Example:
              xchat bench --quick --json
            """
    )

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    @Flag(help: "Measure for seconds instead of minutes; ends within a minute.")
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
