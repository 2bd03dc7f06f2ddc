import Hummingbird
import Logging
import NIOCore
import XChatEvents

import struct Foundation.Date

/// Counts requests, refuses those beyond the limit, and states in the headers how many are left.
struct RateLimitMiddleware: RouterMiddleware {
    let limits: RateLimits
    let errors: SandboxFaults.ErrorShape

    @concurrent
    func handle(
        _ request: Request,
        context: SandboxContext,
        next: @concurrent (Request, SandboxContext) async throws -> Response
    ) async throws -> Response {
        guard !Routes.pages.contains(context.endpointPath ?? "") else { return try await next(request, context) }
        let caller = request.headers[.authorization] ?? ""
        let route = "\(request.method) \(context.endpointPath ?? "")"
        let standing = limits.take(route: route, caller: caller)
        var daily: RateLimits.Standing?
        if standing?.isAllowed != false, request.method == .post, context.endpointPath == Routes.registration {
            daily = limits.takeRegistration(caller: caller)
        }
        var response =
            if standing?.isAllowed == false || daily?.isAllowed == false {
                try Response.problem(.rateLimited, errors)
            } else {
                try await next(request, context)
            }
        if let standing { response.headers.tell(standing, "x-rate-limit") }
        if let daily { response.headers.tell(daily, "x-user-limit-24hour") }
        return response
    }
}

/// Injects the faults: waits, answers with errors, breaks connections.
struct FaultMiddleware: RouterMiddleware {
    let faults: SandboxFaults
    let random: SeededRandom
    private let lostAnswers = Counter()

    /// The calls whose answers ``SandboxFaults/lostAnswers`` loses.
    private static let keyChanges = [
        "/2/chat/conversations/{id}/keys", "/2/chat/conversations/group", "/2/chat/conversations/{id}/members",
    ]

    init(faults: SandboxFaults, random: SeededRandom) {
        self.faults = faults
        self.random = random
    }

    @concurrent
    func handle(
        _ request: Request,
        context: SandboxContext,
        next: @concurrent (Request, SandboxContext) async throws -> Response
    ) async throws -> Response {
        guard !Routes.pages.contains(context.endpointPath ?? "") else { return try await next(request, context) }
        if faults.delay.upperBound > .zero {
            let (low, high) = (faults.delay.lowerBound, faults.delay.upperBound)
            try await Task.sleep(for: low + (high - low) * random.next())
        }
        if request.method == .post, Self.keyChanges.contains(context.endpointPath ?? ""),
            lostAnswers.next(upTo: faults.lostAnswers)
        {
            _ = try await next(request, context)
            try? await context.channel.close()
            return try .problem(.internalError, faults.errors)
        }
        if random.happens(faults.http429) {
            var response = try Response.problem(.rateLimited, faults.errors)
            let reset = Int(Date().timeIntervalSince1970) + 1
            response.headers.tell(.init(limit: 1, remaining: 0, reset: reset, isAllowed: false), "x-rate-limit")
            return response
        }
        if random.happens(faults.http502) { return Self.page(.badGateway) }
        if random.happens(faults.http503) { return Self.page(.serviceUnavailable) }
        let drops = random.happens(faults.drop)
        guard drops || random.happens(faults.http500) else { return try await next(request, context) }
        // Half of the time the request is processed, because a client must handle both cases without knowing which.
        if random.happens(0.5) { _ = try await next(request, context) }
        if drops { try? await context.channel.close() }
        return try .problem(.internalError, faults.errors)
    }

    private static func page(_ status: HTTPResponse.Status) -> Response {
        let html = "<html><head><title>\(status)</title></head><body><h1>\(status)</h1></body></html>\n"
        return Response(
            status: status,
            headers: [.contentType: "text/html"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: html))
        )
    }
}

/// Replaces the access token of a sign-in by the token `sandbox-` and the user id, which the routes read.
struct AccessTokenMiddleware: RouterMiddleware {
    let state: SandboxState

    @concurrent
    func handle(
        _ request: Request,
        context: SandboxContext,
        next: @concurrent (Request, SandboxContext) async throws -> Response
    ) async throws -> Response {
        guard let token = request.bearerToken, token.utf8.count <= 100,
            let user = try await state.user(ofAccessToken: WireString(token))
        else { return try await next(request, context) }
        var head = request.head
        head.headerFields[.authorization] = "Bearer sandbox-\(user)"
        return try await next(Request(head: head, body: request.body), context)
    }
}

/// Converts every error to a problem.
///
/// An unexpected error is logged by its type and reaches the client without details.
struct ProblemMiddleware: RouterMiddleware {
    let errors: SandboxFaults.ErrorShape

    @concurrent
    func handle(
        _ request: Request,
        context: SandboxContext,
        next: @concurrent (Request, SandboxContext) async throws -> Response
    ) async throws -> Response {
        let problem: Problem
        do {
            return try await next(request, context)
        } catch let error as Problem {
            problem = error
        } catch let error as HTTPError where error.status == .notFound {
            problem = .notFound("No such route.", resourceType: "route")
        } catch let error as any HTTPResponseError {
            problem = .invalidRequest("The request cannot be read: \(error.status).")
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            context.logger.error("unexpected error", metadata: ["type": "\(type(of: error))"])
            problem = .internalError
        }
        return try .problem(problem, errors)
    }
}

extension Response {
    static func problem(_ problem: Problem, _ shape: SandboxFaults.ErrorShape) throws -> Response {
        let (json, contentType) = problem.body(shape)
        return try .json(json, status: .init(code: problem.status), type: contentType)
    }
}
