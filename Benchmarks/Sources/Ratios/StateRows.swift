import Foundation
import XChat

/// Opening and saving accounts with many conversations.
struct StateRows {
    private static let counts = [1_000, 10_000, 100_000]

    /// What was measured of a state.
    private struct Figures {
        let opening: States.Opening
        /// Of SQLite alone, of an account file.
        let bareReading: Double?
        /// One pin.
        let pin: States.Saving
        /// One conversation key, in an account file.
        let key: States.Saving?
    }

    private let figures: [States.Kind: [Figures]]
    /// Of 1,000 and 10,000 pins and keys, saved at once.
    private let savings: [States.Kind: [Double]]

    /// Makes the files and measures.
    init() async throws {
        let others = try await States(200, first: 50_000_000)
        var figures: [States.Kind: [Figures]] = [:]
        for count in Self.counts {
            let states = try await States(count)
            for kind in States.Kind.allCases {
                let isAccount = kind == .account
                figures[kind, default: []].append(
                    Figures(
                        opening: try states.opening(kind),
                        bareReading: isAccount ? try await states.bareReading() : nil,
                        pin: try await states.saving(kind, .user, of: others, count: isAccount ? 200 : 1),
                        key: isAccount ? try await states.saving(kind, .conversation, of: others, count: 200) : nil
                    )
                )
            }
        }
        self.figures = figures
        let (few, many) = (try await States(1_000, first: 60_000_000), try await States(10_000, first: 70_000_000))
        let states = try await States(1_000)
        var savings: [States.Kind: [Double]] = [:]
        for kind in States.Kind.allCases {
            savings[kind] = [try await states.savingAll(kind, of: few), try await states.savingAll(kind, of: many)]
        }
        self.savings = savings
    }

    var rows: [Row] {
        States.Kind.allCases.flatMap { kind in
            let figures = figures[kind] ?? []
            var rows = zip(Self.counts, figures).flatMap { Self.opening(kind, $0, $1) }
            guard let small = figures.first, let large = figures.last, let savings = savings[kind] else { return rows }
            rows.append(Self.growth(kind, figures[figures.count - 2].opening, large.opening))
            rows.append(
                Row(
                    "save-\(kind)-linear",
                    "10,000 pins and keys saved at once, \(kind.name); 1,000, ten times; processor time",
                    .ratio,
                    .atMost(1.5),
                    ours: savings[1],
                    floor: savings[0] * 10,
                    unit: "ms"
                )
            )
            rows.append(Self.save(kind, small.pin, large.pin))
            guard let logged = large.pin.logged, let key = large.key else { return rows }
            return rows + [
                Row(
                    "save-account-written",
                    "written for one pin, account file, 100,000 conversations",
                    .ours,
                    .atMost(64),
                    ours: logged,
                    unit: "KiB"
                ),
                Row(
                    "save-account-key",
                    "one conversation key saved, account file, 100,000 conversations",
                    .ours,
                    .atMost(5),
                    ours: key.milliseconds,
                    unit: "ms"
                ),
            ]
        }
    }

    private static func opening(_ kind: States.Kind, _ count: Int, _ figures: Figures) -> [Row] {
        let what = "open, \(kind.name), \(count) conversations"
        return [
            Row(
                "open-\(kind)-\(count)",
                figures.bareReading == nil
                    ? "\(what); processor time" : "\(what); SQLite reads the rows; processor time",
                .ours,
                .atMost(2_000),
                ours: figures.opening.processor,
                floor: figures.bareReading,
                unit: "ms"
            ),
            Row(
                "open-\(kind)-\(count)-memory",
                "\(what): the most memory",
                .ours,
                .atMost(250),
                ours: figures.opening.peak,
                unit: "MiB"
            ),
        ]
    }

    private static func growth(_ kind: States.Kind, _ small: States.Opening, _ large: States.Opening) -> Row {
        Row(
            "open-\(kind)-linear",
            "open, \(kind.name), 100,000 conversations; 10,000, ten times; processor time",
            .ratio,
            .atMost(1.3),
            ours: large.processor,
            floor: small.processor * 10,
            unit: "ms"
        )
    }

    /// A session file is one text, which is written whole; an account file gets what changed.
    private static func save(_ kind: States.Kind, _ small: States.Saving, _ large: States.Saving) -> Row {
        let times = kind == .account ? "" : ", a hundred times"
        return Row(
            "save-\(kind)",
            "one pin saved, \(kind.name), 100,000 conversations; 1,000\(times); processor time",
            .ratio,
            .atMost(1.5),
            ours: large.processor,
            floor: small.processor * (kind == .account ? 1 : 100),
            unit: "ms"
        )
    }

    /// Prints a line for each state, for `scale`: form, conversations, milliseconds of processor time to open it, MiB,
    /// and milliseconds of processor time to save one pin.
    static func printScale() async throws {
        let others = try await States(1, first: 50_000_000)
        for count in counts {
            let states = try await States(count)
            for kind in States.Kind.allCases {
                let opening = try states.opening(kind)
                let saving = try await states.saving(kind, .user, of: others, count: 1)
                print(kind, count, opening.processor, opening.peak, saving.processor)
                fflush(nil)
            }
        }
    }
}
