// Bodies and query strings of people's commands: what has no meaning is refused by its name, before it is silently left out.
import type { RouteOptions } from 'fastify'
import type { FastifySchemaValidationError } from 'fastify/types/schema.js'
import { validatorCompiler } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { describeIssues, jsonPointer, shortened } from '../domain/schema-issues.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is an event of the log: unknown fields of a later version are kept out of the way, never refused. */
    event?: true
  }
}

type Schema = z.core.$ZodType

/** A body where there is nothing to say: a field in it was meant for something. */
const nothing = z.object({}).nullish()
const noQuery = z.object({})

/**
 * For `onRoute`, before anything compiles or describes the schemas: those of body and query string take what they name and
 * nothing else, at every depth, also where a route declares none. What is open (the page's files, probes) takes any query
 * string: whoever asks for it adds parameters against caches.
 */
export function refuseUnknown(route: RouteOptions): void {
  const { access, event } = route.config ?? {}
  if (route.schema?.hide === true || event === true) return
  const methods = [route.method].flat()
  const takesBody = methods.some((method) => method === 'POST' || method === 'PUT')
  const body = (route.schema?.body as Schema | undefined) ?? (takesBody ? nothing : undefined)
  const query = (route.schema?.querystring as Schema | undefined) ?? (access === 'open' ? undefined : noQuery)
  route.schema = {
    ...route.schema,
    ...(body === undefined ? {} : { body: closed(body, 'field') }),
    ...(query === undefined ? {} : { querystring: closed(query, 'parameter') }),
  }
}

/** The check of the type provider; what is unknown is named first, since what else is wrong may follow from its spelling. */
export const checkKnown: typeof validatorCompiler = (route) => {
  const check = validatorCompiler(route)
  return (value: unknown) => {
    const checked = check(value)
    if (typeof checked !== 'object' || !('error' in checked) || !Array.isArray(checked.error)) return checked
    const unknown = checked.error.flatMap((issue) => unknownOf(issue))
    return { error: unknown.length > 0 ? unknown : inWords(route.schema as z.ZodType, value, checked.error) }
  }
}

type Fault = FastifySchemaValidationError

/** What is wrong in our words, which name the field, what it must be and what came; the first stands for all. */
export const IN_WORDS = 'in-words'
function inWords(schema: z.ZodType, value: unknown, found: readonly Fault[]): Fault[] {
  const { error } = schema.safeParse(value)
  const [first] = found
  if (error === undefined || first === undefined) return [...found]
  const { path, message } = describeIssues(error, value)
  return [{ ...first, keyword: IN_WORDS, instancePath: path, message }]
}

function unknownOf(fault: Fault): Fault[] {
  const at = fault.instancePath === '/' ? '' : fault.instancePath
  // As the type provider writes what zod found.
  const { keys, errors } = fault.params as { keys?: readonly string[]; errors?: readonly z.core.$ZodIssue[][] }
  if (fault.keyword === 'unrecognized_keys')
    return [{ ...fault, instancePath: at + jsonPointer((keys ?? []).slice(0, 1)) }]
  // Of several forms the one that has nothing else against it is meant.
  const meant = errors?.find((form) => form.every(({ code }) => code === 'unrecognized_keys')) ?? []
  return meant.flatMap((one) =>
    one.code === 'unrecognized_keys'
      ? [{ ...fault, message: one.message, instancePath: at + jsonPointer([...one.path, ...one.keys.slice(0, 1)]) }]
      : [],
  )
}

type Noun = 'field' | 'parameter'

/** The same schema whose objects are closed; those that say what they do with unknown fields stay as they are. */
function closed(schema: Schema, noun: Noun): Schema {
  if (schema instanceof z.ZodObject) {
    if (schema.def.catchall !== undefined) return schema
    const shape = Object.fromEntries(
      Object.entries(schema.def.shape).map(([key, one]) => [key, closed(one as Schema, noun)]),
    )
    const names = Object.keys(shape)
    const error = (issue: { code?: string; keys?: readonly string[] }) =>
      issue.code === 'unrecognized_keys' ? unknownWords(issue.keys ?? [], names, noun) : undefined
    return remade(schema, { shape, catchall: z.never(), error })
  }
  if (schema instanceof z.ZodArray) return remade(schema, { element: closed(schema.def.element, noun) })
  if (schema instanceof z.ZodUnion)
    return remade(schema, { options: schema.def.options.map((one) => closed(one, noun)) })
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  )
    return remade(schema, { innerType: closed(schema.def.innerType, noun) })
  return schema
}

/** A default is read anew each time: the definition's own accessor, not what it gave once. */
function remade(schema: Schema, changes: object): Schema {
  const def = Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(schema._zod.def),
      ...Object.getOwnPropertyDescriptors(changes),
    },
  ) as Schema['_zod']['def']
  const made = z.core.clone(schema, def)
  const described = z.globalRegistry.get(schema)
  if (described !== undefined) z.globalRegistry.add(made, described)
  return made
}

/** Beyond that a list helps nobody. */
const LISTED = 16

function unknownWords(keys: readonly string[], names: readonly string[], noun: Noun): string {
  const [first = '', ...others] = keys
  const near = nearest(first, names)
  const all = names.length === 0 ? '; it takes none' : names.length <= LISTED ? `; it takes ${names.join(', ')}` : ''
  const known = near === undefined ? all : `; did you mean ${near}?`
  const more = others.length === 0 ? '' : ` (nor are ${others.slice(0, 3).map(shortened).join(', ')})`
  return `is no ${noun} here${more}${known}`
}

/** The known name that a typing error away is: a third of its letters at most, whatever their case. */
function nearest(name: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((known) => ({ known, edits: edits(name.slice(0, 100).toLowerCase(), known.toLowerCase()) }))
    .filter(({ known, edits: n }) => n <= known.length / 3)
    .toSorted((a, b) => a.edits - b.edits)
  return best?.known
}

/** Levenshtein's distance. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)),
      )
    row = next
  }
  return row[b.length] ?? 0
}
