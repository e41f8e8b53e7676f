// The policy that ships: what decides until a marketplace publishes its own.
import { policySchema, type Policy } from '../domain/policy.ts'
import document from './default-policy.json' with { type: 'json' }

export function defaultPolicy(): Policy {
  return policySchema.parse(document)
}
