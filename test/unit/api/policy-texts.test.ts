// Texts of a policy that no store can hold are refused by its schema, whichever way the document comes in.
import { expect, it } from 'vitest'
import { TouchstoneError } from '../../../src/errors.ts'
import { parsePolicy } from '../../../src/pipeline/policies.ts'
import { policyOf } from './memory-ports.ts'

const thresholds = { hold: 0.1, block: 0.2 }
const rule = { ruleId: 'r', mode: 'shadow', when: 'true', outcome: 'hold' }
const example = { name: 'e', risk: 0.5, expect: { outcome: 'hold' } }

it.each([
  ['/description', { description: 'a\u0000' }],
  ['/description', { description: 'a\ud800' }],
  ['/brandThresholds/a\u0000', { brandThresholds: { 'a\u0000': thresholds } }],
  ['/brandThresholds', { brandThresholds: { '\udc00': thresholds } }],
  ['/brandThresholds/Not An Id', { brandThresholds: { 'Not An Id': thresholds } }],
  ['/rules/0/description', { rules: [{ ...rule, description: '\u0000' }] }],
  ['/rules/0/when', { rules: [{ ...rule, when: '"\ud800" == ""' }] }],
  ['/examples/0/name', { examples: [{ ...example, name: '\u0000' }] }],
  ['/examples/0/brandIds/0', { examples: [{ ...example, brandIds: ['\u0000'] }] }],
  ['/examples/0/failedSignals/0', { examples: [{ ...example, failedSignals: ['\ud800'] }] }],
])('%s', (path, change) => {
  const read = () => parsePolicy({ ...policyOf(1), ...change })
  expect(read).toThrow(TouchstoneError)
  expect(read).toThrow(expect.objectContaining({ code: 'policy-invalid', path }))
})

it('brand ids and words of any script are taken', () => {
  const policy = parsePolicy({ ...policyOf(1), description: 'ü 鞋 👟', brandThresholds: { nike: thresholds } })
  expect(policy.brandThresholds).toEqual({ nike: thresholds })
})
