package import XChatEvents

import struct Foundation.Date

/// The result of one request that checks the server, the token and the clock of this machine.
package struct ServerCheck: Sendable {
    /// The user to whom the token belongs, or the error.
    package let user: Result<UserID, APIError>
    /// How far the clock of this machine is ahead of the server's, to a second; nil if the answer had no date.
    package let clockLead: Duration?
}

extension ChatClient {
    /// Asks the server once which user the token belongs to, and compares the clocks.
    package func check() async -> ServerCheck {
        let call = Call.me(limit: limits.answerBytes)
        let timeout = min(limits.timeout, .seconds(10))
        do throws(APIError) {
            let token = try await tokens.current(within: timeout)
            let start = Date()
            let response = try await transport.send(call.request, .bearer(token), limit: call.limit, timeout: timeout)
            let now = Date()
            // The server wrote its date at some time between the request and the answer.
            let middle = start.addingTimeInterval(now.timeIntervalSince(start) / 2)
            let date = response.headers.value("date").flatMap { HTTPDate.parse($0, now: now) }
            let lead = date.map { Duration.seconds(middle.timeIntervalSince($0).rounded()) }
            do throws(APIError) {
                let user = try call.read(Success(response, token: token)).id
                return ServerCheck(user: .success(user), clockLead: lead)
            } catch {
                var error = error
                error.status = error.status ?? response.status
                return ServerCheck(user: .failure(error), clockLead: lead)
            }
        } catch {
            return ServerCheck(user: .failure(error), clockLead: nil)
        }
    }

    /// The proxy of the connections, as host and port; nil for direct connections.
    package var proxy: String? { transport.clients.proxy }
}
