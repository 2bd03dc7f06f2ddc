import TestSupport
import Testing
import XChat
import XChatText

/// The line that shows a transfer in a terminal.
struct ProgressTests {
    private func text(_ done: Int, _ total: Int?, seconds: Double = 2, columns: Int = 80) -> String {
        progressText("uploading", done: done, total: total, elapsed: .seconds(seconds), columns: columns)
    }

    @Test func `a transfer is shown with bar, share, amount, rate and the time that is left`() {
        #expect(
            text(5 << 20, 20 << 20)
                == "uploading [####.............]   25 %  5.0 MiB of 20.0 MiB  2.5 MiB/s  0:06 left"
        )
        #expect(text(0, 100, seconds: 0) == "uploading [\(String(repeating: ".", count: 40))]    0 %  0 B of 100 B")
        #expect(text(100, 100).hasPrefix("uploading [#######"))
        #expect(text(100, 100).contains("  100 %  100 B of 100 B"))
        #expect(!text(100, 100).contains("left"))
    }

    @Test func `without a total there is no share and no bar`() {
        #expect(text(3000, nil) == "uploading  2.9 KiB  1.4 KiB/s")
    }

    @Test(
        "the line is shorter than the terminal is wide",
        arguments: [0, 1, 5, 9, 10, 17, 20, 40, 60, 79, 80, 81, 200]
    )
    func width(_ columns: Int) {
        for total in [nil, 0, 1, 999_999_999_999, Int.max] as [Int?] {
            for done in [0, 1, 1 << 40, Int.max] {
                for seconds in [0, 0.6, 1e9] {
                    let text = text(done, total, seconds: seconds, columns: columns)
                    #expect(text.utf8.count <= max(0, columns - 1))
                }
            }
        }
    }

    @Test func `in a narrow terminal the most important parts stay`() {
        #expect(text(5 << 20, 20 << 20, columns: 18) == "uploading   25 %")
        #expect(text(5 << 20, 20 << 20, columns: 10) == "uploading")
        #expect(text(5 << 20, 20 << 20, columns: 5) == "uplo")
    }

    @Test func `times have minutes, and hours if it takes so long`() {
        #expect(text(1 << 20, 61 << 20, seconds: 1, columns: 200).hasSuffix("1:00 left"))
        #expect(text(1 << 20, 3662 << 20, seconds: 1, columns: 200).hasSuffix("1:01:01 left"))
    }

    @Test func `a file that grew does not overflow the bar`() {
        #expect(text(200, 100, columns: 120).contains("#]  100 %"))
    }
}
