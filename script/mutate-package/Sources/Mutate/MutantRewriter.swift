import SwiftSyntax
import SwiftSyntaxBuilder

/// Writes the mutants of one file.
///
/// A mutant is a condition around an expression or a statement: `isMutant__(17) ? a <= b : a < b`. The mutated branch
/// contains no other mutants, so that the code grows linearly.
final class MutantRewriter: SyntaxRewriter {
    private(set) var numbers: Numbers
    private let locations: SourceLocationConverter
    private let file: String

    init(numbers: Numbers, locations: SourceLocationConverter, file: String) {
        self.numbers = numbers
        self.locations = locations
        self.file = file
        super.init()
    }

    /// The number of a new mutant, which it prints; nil if it is excluded.
    private func mutant(at node: some SyntaxProtocol, _ change: String) -> Int? {
        guard let number = numbers.next() else { return nil }
        let line = node.startLocation(converter: locations).line
        let words = change.split { $0.isWhitespace }.joined(separator: " ")
        print("\(number)\t\(file)\t\(line)\t\(words)")
        return number
    }

    /// One of two expressions, the first one in the mutant.
    private func choice(_ number: Int, _ mutated: String, _ original: ExprSyntax) -> ExprSyntax {
        var original = original
        let (leading, trailing) = (original.leadingTrivia, original.trailingTrivia)
        (original.leadingTrivia, original.trailingTrivia) = ([], [])
        var chosen: ExprSyntax = "(\(raw: selectorFunction)(\(raw: number)) ? (\(raw: mutated)) : (\(original)))"
        (chosen.leadingTrivia, chosen.trailingTrivia) = (leading, trailing)
        return chosen
    }

    // MARK: Expressions

    private static let otherOperators = [
        "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "===": "!==", "!==": "===", "&&": "||",
        "||": "&&",
    ]

    override func visit(_ node: InfixOperatorExprSyntax) -> ExprSyntax {
        guard let operation = node.operator.as(BinaryOperatorExprSyntax.self)?.operator.text,
            let other = Self.otherOperators[operation]
        else { return super.visit(node) }
        let mutated = "\(node.leftOperand.trimmed) \(other) \(node.rightOperand.trimmed)"
        let number = mutant(at: node, "\(node.trimmed) => \(mutated)")
        let rewritten = super.visit(node)
        guard let number else { return rewritten }
        return choice(number, mutated, rewritten)
    }

    override func visit(_ node: IntegerLiteralExprSyntax) -> ExprSyntax {
        guard let value = node.representedLiteralValue else { return super.visit(node) }
        var rewritten = ExprSyntax(node)
        for other in value > 0 ? [value - 1, value + 1] : [value + 1] {
            guard let number = mutant(at: node, "\(value) => \(other)") else { continue }
            rewritten = choice(number, "\(other)", rewritten)
        }
        return rewritten
    }

    override func visit(_ node: ArrayExprSyntax) -> ExprSyntax {
        // A table of numbers would be most of the mutants.
        node.elements.count > 4 ? ExprSyntax(node) : super.visit(node)
    }

    override func visit(_ node: FunctionCallExprSyntax) -> ExprSyntax {
        guard node.trailingClosure == nil else { return super.visit(node) }
        let arguments = Array(node.arguments)
        var mutated: [String] = []
        for index in arguments.indices.dropLast() {
            let (first, second) = (arguments[index].expression, arguments[index + 1].expression)
            guard Self.isName(first), Self.isName(second), first.trimmedDescription != second.trimmedDescription else {
                continue
            }
            var swapped = arguments
            swapped[index].expression = second.trimmed
            swapped[index + 1].expression = first.trimmed
            mutated.append(node.with(\.arguments, LabeledExprListSyntax(swapped)).trimmedDescription)
        }
        let numbers = mutated.map { mutant(at: node, "\(node.trimmed) => \($0)") }
        var rewritten = super.visit(node)
        for (number, text) in zip(numbers, mutated) {
            if let number { rewritten = choice(number, text, rewritten) }
        }
        return rewritten
    }

    /// Whether an argument is the name of a value or a member of one.
    private static func isName(_ expression: ExprSyntax) -> Bool {
        if expression.is(DeclReferenceExprSyntax.self) { return true }
        return expression.as(MemberAccessExprSyntax.self)?.base.map { isName($0) } ?? false
    }

    // MARK: Conditions and statements

    override func visit(_ node: GuardStmtSyntax) -> StmtSyntax {
        let numbers = conditionMutants(of: node.conditions, value: "true")
        guard let rewritten = super.visit(node).as(GuardStmtSyntax.self) else { return StmtSyntax(node) }
        return StmtSyntax(rewritten.with(\.conditions, mutated(rewritten.conditions, numbers, value: "true")))
    }

    override func visit(_ node: IfExprSyntax) -> ExprSyntax {
        let numbers = conditionMutants(of: node.conditions, value: "false")
        guard let rewritten = super.visit(node).as(IfExprSyntax.self) else { return ExprSyntax(node) }
        return ExprSyntax(rewritten.with(\.conditions, mutated(rewritten.conditions, numbers, value: "false")))
    }

    /// A mutant for each condition that binds no name: it always has the value.
    private func conditionMutants(of conditions: ConditionElementListSyntax, value: String) -> [Int?] {
        conditions.map { element in
            guard case .expression(let condition) = element.condition else { return nil }
            return mutant(at: condition, "\(condition.trimmed) => \(value)")
        }
    }

    private func mutated(_ conditions: ConditionElementListSyntax, _ numbers: [Int?], value: String)
        -> ConditionElementListSyntax
    {
        ConditionElementListSyntax(
            zip(conditions, numbers).map { element, number in
                guard let number, case .expression(let condition) = element.condition else { return element }
                return element.with(\.condition, .expression(choice(number, value, condition)))
            }
        )
    }

    override func visit(_ node: CodeBlockItemSyntax) -> CodeBlockItemSyntax {
        guard case .expr(let expression) = node.item, let attempt = expression.as(TryExprSyntax.self),
            attempt.questionOrExclamationMark == nil, let call = Self.call(attempt.expression),
            !call.calledExpression.trimmedDescription.hasSuffix(".init")
        else { return super.visit(node) }
        let number = mutant(at: node, "\(node.trimmed) => ")
        let rewritten = super.visit(node)
        guard let number else { return rewritten }
        let statement: StmtSyntax = "if !\(raw: selectorFunction)(\(raw: number)) { \(rewritten.trimmed) }"
        return CodeBlockItemSyntax(
            leadingTrivia: rewritten.leadingTrivia,
            item: .stmt(statement),
            trailingTrivia: rewritten.trailingTrivia
        )
    }

    private static func call(_ expression: ExprSyntax) -> FunctionCallExprSyntax? {
        expression.as(FunctionCallExprSyntax.self)
            ?? expression.as(AwaitExprSyntax.self).flatMap { call($0.expression) }
            ?? expression.as(UnsafeExprSyntax.self).flatMap { call($0.expression) }
    }

    // MARK: Left as they are, because their expressions are no code that runs

    override func visit(_ node: AttributeSyntax) -> AttributeSyntax { node }
    override func visit(_ node: EnumCaseDeclSyntax) -> DeclSyntax { DeclSyntax(node) }
    override func visit(_ node: ExpressionPatternSyntax) -> PatternSyntax { PatternSyntax(node) }
    override func visit(_ node: GenericArgumentClauseSyntax) -> GenericArgumentClauseSyntax { node }
    override func visit(_ node: InlineArrayTypeSyntax) -> TypeSyntax { TypeSyntax(node) }
    override func visit(_ node: MacroExpansionExprSyntax) -> ExprSyntax { ExprSyntax(node) }
    override func visit(_ node: MacroExpansionDeclSyntax) -> DeclSyntax { DeclSyntax(node) }

    override func visit(_ node: IfConfigClauseSyntax) -> IfConfigClauseSyntax {
        guard let rewritten = node.elements.map({ rewrite($0) }) else { return node }
        return node.with(\.elements, rewritten.as(IfConfigClauseSyntax.Elements.self) ?? node.elements)
    }
}
