/// A request to a realm.
package struct RealmRequest: Sendable {
    package let realm: Realm
    /// The token of a software realm; that of a hardware realm is in the body.
    package let bearer: Secret?
    package let body: Secret
}

/// The reply of a realm, with any status.
package struct RealmReply: Sendable {
    package var status: Int
    package var body: Secret

    package init(status: Int, body: Secret) {
        self.status = status
        self.body = body
    }
}

/// Sends one request and reads the reply; uses HTTP, except in tests.
package typealias RealmTransport = @Sendable (RealmRequest) async throws -> RealmReply
