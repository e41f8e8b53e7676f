// Real: sentences about what a schema finds, over schemas of every kind that this project writes.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { policySchema } from '../../../src/domain/policy.ts'
import { describeIssues, jsonPointer, shortened } from '../../../src/domain/schema-issues.ts'

function faultOf(schema: z.ZodType, value: unknown): ReturnType<typeof describeIssues> {
  const { error } = schema.safeParse(value)
  if (error === undefined) throw new Error('the value fits')
  return describeIssues(error, value)
}

describe('sentences', () => {
  it.each([
    [z.object({ a: z.object({ b: z.int() }) }), { a: { b: 1.5 } }, '/a/b', 'a.b must be a whole number (got 1.5)'],
    [z.object({ a: z.string() }), {}, '/a', 'a is required: it must be a string'],
    [z.array(z.boolean()), [true, 'x'], '/1', '[1] must be a boolean (got "x")'],
    [z.strictObject({ a: z.string().optional() }), { b: 1, c: 2 }, '', 'it has unknown fields: "b", "c"'],
    [
      z.union([z.string().max(2), z.array(z.string())]),
      'abc',
      '',
      'it must have at most 2 characters (got 3 characters)',
    ],
    [z.union([z.string(), z.array(z.string())]), ['a', 1], '/', ''],
    [z.union([z.string(), z.null()]), 5, '', 'it must be a string or null (got 5)'],
    [z.number().gt(3), 2, '', 'it must be more than 3 (got 2)'],
    [z.number().lt(3), 3, '', 'it must be less than 3 (got 3)'],
    [z.array(z.string()).min(1), [], '', 'it must have at least 1 entries (got a list of 0)'],
    [z.literal('1.0'), '2.0', '', 'it must be 1.0 (got "2.0")'],
    [z.uuid(), 'x', '', 'it must be a valid uuid (got "x")'],
    [z.string().regex(/^a$/), 'b', '', 'it must match /^a$/ (got "b")'],
  ])('%#', (schema, value, path, message) => {
    const fault = faultOf(schema as z.ZodType, value)
    if (path !== '/') expect(fault.path).toBe(path)
    expect(fault.message).toContain(message)
    expect(fault.message).not.toMatch(/undefined|\[object/)
  })

  it('a policy: fields, bands and rules', () => {
    const fault = faultOf(policySchema, {
      policyId: 'P!',
      version: 0,
      thresholds: { hold: 0.5, block: 0.2 },
      riskClasses: [{ name: 'low', from: 0.1 }],
      hold: { deadlineSeconds: 1, onDeadline: { none: 'allow' } },
    })
    expect(fault).toMatchObject({ path: '/policyId', message: expect.stringContaining('policyId must match') })
    expect(faultOf(policySchema, null).message).toBe('it must be an object (got null)')
  })

  it('one field is named once, whatever its complaints; the rest is counted', () => {
    const schema = z.object({
      a: z.string().min(5).regex(/^x/),
      b: z.string(),
      c: z.string(),
      d: z.string(),
      e: z.string(),
    })
    expect(faultOf(schema, { a: 'y' })).toMatchObject({
      issues: 5,
      message: expect.stringMatching(
        /^a must have at least 5 characters \(got 1 characters\); b .*; c .*; and 2 more$/,
      ),
    })
  })
})

describe('values and places', () => {
  it('are cut at 80 characters and escaped', () => {
    expect(shortened('a"b\\c\n\u202e\u2028\ud800')).toBe('"a\\"b\\\\c\\u{a}\\u{202e}\\u{2028}\\u{d800}"')
    for (const text of ['x'.repeat(1_000), '"'.repeat(1_000), '\u202e'.repeat(1_000), '😀'.repeat(1_000)]) {
      expect(shortened(text).length).toBeLessThanOrEqual(80)
      expect(shortened(text)).toMatch(/^".*…"$/)
      expect(shortened(text).isWellFormed()).toBe(true)
    }
    expect([undefined, null, [1, 2], { a: 1 }, NaN, true].map(shortened)).toEqual([
      'nothing',
      'null',
      'a list of 2',
      'an object',
      'NaN',
      'true',
    ])
  })

  it('pointers escape as RFC 6901 says and stop before a stranger’s long name', () => {
    expect(jsonPointer(['a/b', '~', 0, ''])).toBe('/a~1b/~0/0/')
    expect(jsonPointer(['a', 'x'.repeat(201), 'b'])).toBe('/a')
    expect(jsonPointer(['a', '\ud800'])).toBe('/a')
  })
})
