// What a rule's expression may be made of: known names, known functions, a bounded cost. The library checks none of this.
import type { parse } from '@bufbuild/cel'
import { FACT_NAMES, KNOWN_FIELDS, SIGNAL_FIELDS } from './facts.ts'

export type Expr = ReturnType<typeof parse>['expr']

export interface CheckedExpression {
  /** The patterns of all calls of `matches`. */
  readonly patterns: readonly string[]
  /** Calls outside of loops: each can be tried by itself, also where `&&` would never come to it. */
  readonly calls: readonly Expr[]
}

/** Far above what a readable rule needs; with it one evaluation is bounded by nodes times the longest list. */
const MAX_NODES = 500
const MAX_DEPTH = 40

const OPERATORS = [
  '_+_',
  '_-_',
  '_*_',
  '_/_',
  '_%_',
  '-_',
  '!_',
  '_&&_',
  '_||_',
  '_?_:_',
  '_[_]',
  '@in',
  '@not_strictly_false',
]
const COMPARISONS = ['_==_', '_!=_', '_<_', '_<=_', '_>_', '_>=_']
const CONVERSIONS = ['size', 'int', 'uint', 'double', 'string', 'bool', 'dyn', 'timestamp', 'duration']
const FUNCTIONS: ReadonlySet<string> = new Set([...OPERATORS, ...COMPARISONS, ...CONVERSIONS])
const TEXT_METHODS = ['contains', 'startsWith', 'endsWith', 'matches']
const TIME_METHODS = [
  'getFullYear',
  'getMonth',
  'getDate',
  'getDayOfWeek',
  'getDayOfYear',
  'getHours',
  'getMinutes',
  'getSeconds',
]
const METHODS: ReadonlySet<string> = new Set(['size', ...TEXT_METHODS, ...TIME_METHODS])

export class ExpressionFault extends Error {
  /** Identifies the node in the parser's map of positions. */
  readonly exprId: bigint | undefined
  constructor(message: string, exprId?: bigint) {
    super(message)
    this.exprId = exprId
  }
}

/** @throws ExpressionFault at the first thing that a rule must not contain. */
export function checkExpression(root: Expr): CheckedExpression {
  const patterns: string[] = []
  const calls: Expr[] = []
  let nodes = 0

  function visit(expr: Expr | undefined, scope: ReadonlySet<string>, depth: number, inLoop: boolean): void {
    if (expr === undefined) throw new ExpressionFault('an operand is missing')
    nodes += 1
    if (nodes > MAX_NODES) throw new ExpressionFault(`the expression has more than ${MAX_NODES} parts`, expr.id)
    if (depth > MAX_DEPTH) throw new ExpressionFault(`the expression nests more than ${MAX_DEPTH} deep`, expr.id)
    const below = (inner: Expr | undefined, names = scope, loop = inLoop): void => visit(inner, names, depth + 1, loop)
    const kind = expr.exprKind
    switch (kind.case) {
      case 'constExpr':
        return
      case 'identExpr':
        if (scope.has(kind.value.name)) return
        throw new ExpressionFault(`unknown name ${kind.value.name}; expected one of ${FACT_NAMES.join(', ')}`, expr.id)
      case 'selectExpr': {
        const { operand, field } = kind.value
        checkField(operand, field, scope, expr.id)
        return below(operand)
      }
      case 'callExpr': {
        const { function: name, target, args } = kind.value
        const known = target === undefined ? FUNCTIONS : METHODS
        if (!known.has(name)) throw new ExpressionFault(`unknown function ${name}`, expr.id)
        if (!inLoop) calls.push(expr)
        if (name === 'matches') patterns.push(literalPattern(args, expr.id))
        if (name === '_[_]') checkIndex(args, scope, expr.id)
        if (target !== undefined) below(target)
        return args.forEach((arg) => below(arg))
      }
      case 'listExpr':
        return kind.value.elements.forEach((element) => below(element))
      case 'structExpr':
        throw new ExpressionFault('maps and messages cannot be made in a rule', expr.id)
      case 'comprehensionExpr': {
        const { iterVar, iterVar2, accuVar, iterRange, accuInit, loopStep, loopCondition, result } = kind.value
        // One loop over another costs the product of two lists that the seller fills.
        if (inLoop) throw new ExpressionFault('all, exists, exists_one, map and filter cannot be nested', expr.id)
        below(iterRange, scope, true)
        below(accuInit)
        const inner = new Set([...scope, iterVar, ...(iterVar2 === '' ? [] : [iterVar2]), accuVar])
        below(loopStep, inner, true)
        below(loopCondition, inner, true)
        return below(result, inner, true)
      }
      case undefined:
        throw new ExpressionFault('the expression is empty', expr.id)
    }
  }

  visit(root, new Set(FACT_NAMES), 0, false)
  return { patterns, calls }
}

/** The pattern is the policy's own: from a fact it would be the seller who writes the regular expression. */
function literalPattern(args: readonly Expr[], id: bigint): string {
  const kind = args.length === 1 ? args[0]?.exprKind : undefined
  if (kind?.case === 'constExpr' && kind.value.constantKind.case === 'stringValue') return kind.value.constantKind.value
  throw new ExpressionFault('matches takes one pattern, written out in quotes', id)
}

function checkIndex(args: readonly Expr[], scope: ReadonlySet<string>, id: bigint): void {
  const kind = args[1]?.exprKind
  if (kind?.case === 'constExpr' && kind.value.constantKind.case === 'stringValue') {
    checkField(args[0], kind.value.constantKind.value, scope, id)
  }
}

function checkField(operand: Expr | undefined, field: string, scope: ReadonlySet<string>, id: bigint): void {
  const place = pathOf(operand, scope)
  if (place === undefined) return
  const known = /^signals\.[^.]+$/.test(place)
    ? SIGNAL_FIELDS
    : Object.hasOwn(KNOWN_FIELDS, place)
      ? KNOWN_FIELDS[place]
      : undefined
  if (known === undefined || known.has(field)) return
  throw new ExpressionFault(`${place} has no field ${field}; expected one of ${[...known].join(', ')}`, id)
}

/** `listing.price` for the expression that says so; undefined for anything that is not a fact's own field. */
function pathOf(expr: Expr | undefined, scope: ReadonlySet<string>): string | undefined {
  const kind = expr?.exprKind
  if (kind?.case === 'identExpr') {
    const { name } = kind.value
    return scope.has(name) && (FACT_NAMES as readonly string[]).includes(name) ? name : undefined
  }
  if (kind?.case === 'selectExpr') {
    const inner = pathOf(kind.value.operand, scope)
    return inner === undefined ? undefined : `${inner}.${kind.value.field}`
  }
  if (kind?.case === 'callExpr' && kind.value.function === '_[_]') {
    const [operand, index] = kind.value.args
    const inner = pathOf(operand, scope)
    const key = index?.exprKind.case === 'constExpr' ? index.exprKind.value.constantKind : undefined
    return inner === undefined || key?.case !== 'stringValue' ? undefined : `${inner}.${key.value}`
  }
  return undefined
}
