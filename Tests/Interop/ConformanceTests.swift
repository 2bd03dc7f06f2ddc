import Testing
import XChatEngine
import XChatEvents

/// Both engines read the same events: same verdict, same values, except where the list of differences says otherwise.
@Suite(.enabled(if: Peer.isWanted, Peer.absence))
struct ConformanceTests {
    @Test func `every kind of event, with every field present and absent, under every signature version`() throws {
        let cast = try Cast()
        try compare(cast, "details", try ConformanceCases(cast).details())
    }

    @Test func `every content of a message, with every field present and absent`() throws {
        let cast = try Cast()
        try compare(cast, "contents", try ConformanceCases(cast).contents())
    }

    @Test func `every kind of event in odd envelopes`() throws {
        let cast = try Cast()
        try compare(cast, "envelopes", try ConformanceCases(cast).envelopes())
    }

    @Test func `every kind of event with every sort of signature`() throws {
        let cast = try Cast()
        try compare(cast, "signatures", try ConformanceCases(cast).signatures())
    }

    @Test func `replies with previews true and false`() throws {
        let cast = try Cast()
        try compare(cast, "previews", try ConformancePreviews(cast).cases())
    }

    @Test func `encodings of every sort`() throws {
        let cast = try Cast()
        try compare(cast, "encodings", try ConformanceCases(cast).encodings())
    }

    @Test func `random events`() throws {
        let cast = try Cast()
        // The same ones in every run: what is to differ is computed from the event, and has to match exactly.
        let seed = RandomTexts.namedSeed ?? 1
        try compare(cast, "random, INTEROP_SEED=\(seed)", try ConformanceCases(cast).random(1500, seed: seed))
    }

    private func compare(_ cast: Cast, _ what: String, _ cases: [ConformanceCase]) throws {
        var comparison = Comparison(cast)
        try comparison.compare(cases)
        comparison.conclude(what)
    }
}
