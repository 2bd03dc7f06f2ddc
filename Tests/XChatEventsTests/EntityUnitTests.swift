import Testing

@testable import XChatEvents

@Suite struct EntityUnitTests {
    static let text = "né 👩‍👧 #tag e\u{301}"

    @Test("an entity made in a unit reads back in it", arguments: TextUnit.allCases)
    func roundTrip(unit: TextUnit) throws {
        for first in Self.text.unicodeScalars.indices {
            for last in Self.text.unicodeScalars.indices where first <= last {
                let entity = try #require(RichTextEntity(first..<last, of: Self.text, in: unit, content: nil))
                #expect(entity.range(in: Self.text, counting: unit) == first..<last)
            }
        }
    }

    @Test func `the three units count what they say`() throws {
        let range = try #require(Self.text.firstRange(of: "#tag"))
        let starts = TextUnit.allCases.map { RichTextEntity(range, of: Self.text, in: $0, content: nil)?.startIndex }
        // "né " is 4 bytes, 3 scalars, 3 code units; the family is 11 bytes, 3 scalars, 5 code units; then a space.
        #expect(starts == [16, 7, 9])
    }

    @Test("offsets beyond the text, reversed or inside a scalar are cut or refused", arguments: TextUnit.allCases)
    func hostile(unit: TextUnit) {
        for start in -2...40 as ClosedRange<Int32> {
            for end in -2...40 as ClosedRange<Int32> {
                let range = RichTextEntity(startIndex: start, endIndex: end).range(in: Self.text, counting: unit)
                #expect((range == nil) == (start < 0 || end < start))
                if let range {
                    #expect(
                        Self.text.unicodeScalars.indices.contains(range.lowerBound)
                            || range.lowerBound == Self.text.endIndex
                    )
                    _ = Self.text[range]
                }
            }
        }
        let beyond = RichTextEntity(startIndex: Int32.max, endIndex: Int32.max).range(in: "a", counting: unit)
        #expect(beyond?.isEmpty == true)
        #expect(RichTextEntity(startIndex: 1).range(in: "abc", counting: unit) == nil)
    }
}
