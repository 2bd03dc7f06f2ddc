package import XChat
import XChatEvents

/// What one check of an installation found.
package struct Finding: Sendable {
    package enum Health: String, Sendable {
        case ok
        case warning
        case problem
    }

    package let check: String
    package let health: Health
    package let detail: String
    /// What to do; nil if nothing is to be done.
    package let advice: String?

    package init(check: String, health: Health, detail: String, advice: String? = nil) {
        self.check = check
        self.health = health
        self.detail = detail
        self.advice = advice
    }

    /// A line of `doctor`.
    package var line: String {
        let text = visible(detail + (advice.map { "; to do: \($0)" } ?? ""))
        return health.rawValue.padded(to: 9) + check.padded(to: 13) + text
    }

    /// A line of `doctor --json`.
    package var json: JSONValue {
        [
            "check": .string(WireString(check)),
            "status": .string(WireString(health.rawValue)),
            "detail": .string(WireString(detail)),
            "advice": advice.map { .string(WireString($0)) } ?? .null,
        ]
    }
}
