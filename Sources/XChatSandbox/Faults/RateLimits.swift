import HTTPTypes
import Synchronization

import struct Foundation.Date

/// Counts requests per route and caller in fixed windows of whole seconds, which X's headers report.
final class RateLimits: Sendable {
    /// The state of a caller on a route.
    struct Standing: Sendable {
        let limit: Int
        let remaining: Int
        /// When the window ends, in seconds since 1970.
        let reset: Int
        let isAllowed: Bool
    }

    private struct Key: Hashable {
        let route: String
        let caller: String
    }

    private struct Window {
        var count = 0
        let reset: Int
    }

    private let faults: SandboxFaults
    private let windows = Mutex<[Key: Window]>([:])

    /// If there are this many windows, those that have ended are removed before a request is counted.
    private static let maximumWindows = 10_000

    init(_ faults: SandboxFaults) {
        self.faults = faults
    }

    /// Counts a request; nil if there is no limit.
    func take(route: String, caller: String, now: Int = Int(Date().timeIntervalSince1970)) -> Standing? {
        guard let limit = limit(of: route) else { return nil }
        return take(limit, Key(route: route, caller: caller), now: now)
    }

    /// Counts a registration, which has a limit per 24 hours.
    func takeRegistration(caller: String, now: Int = Int(Date().timeIntervalSince1970)) -> Standing? {
        guard faults.rateLimit != nil else { return nil }
        let limit = SandboxFaults.RateLimit(requests: faults.registrations, seconds: 24 * 3600)
        return take(limit, Key(route: "24-hour", caller: caller), now: now)
    }

    private func take(_ limit: SandboxFaults.RateLimit, _ key: Key, now: Int) -> Standing {
        windows.withLock { windows in
            if windows.count >= Self.maximumWindows { windows = windows.filter { $0.value.reset > now } }
            var window = windows[key] ?? Window(reset: now + limit.seconds)
            if window.reset <= now { window = Window(reset: now + limit.seconds) }
            let isAllowed = window.count < limit.requests
            if isAllowed { window.count += 1 }
            windows[key] = window
            return Standing(
                limit: limit.requests,
                remaining: limit.requests - window.count,
                reset: window.reset,
                isAllowed: isAllowed
            )
        }
    }

    /// The limit of a route: X's documented one for the activity routes, the configured one for all others.
    private func limit(of route: String) -> SandboxFaults.RateLimit? {
        guard let chosen = faults.rateLimit else { return nil }
        if route.hasSuffix("/2/activity/stream") { return .init(requests: 450, seconds: 900) }
        if route.contains("/2/activity/subscriptions") { return .init(requests: 500, seconds: 900) }
        return chosen
    }
}

extension HTTPFields {
    mutating func tell(_ standing: RateLimits.Standing, _ prefix: String) {
        let values = [("limit", standing.limit), ("remaining", standing.remaining), ("reset", standing.reset)]
        for (name, value) in values {
            if let field = HTTPField.Name("\(prefix)-\(name)") { self[field] = String(value) }
        }
    }
}
