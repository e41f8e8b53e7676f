// `policies`: the document that turns risk into decisions: show, publish, roll back; live in running workers within 2 s.
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { TouchstoneError } from '../../errors.ts'
import { readConfig } from '../../config.ts'
import { compileGate } from '../../pipeline/reference.ts'
import { publishPolicy, rollbackPolicy } from '../../pipeline/policies.ts'
import { createTelemetry } from '../../telemetry.ts'
import { shippedModels } from '../learning.ts'
import { gateParts } from '../gate-parts.ts'
import { readJsonFile } from '../shipped-gate.ts'
import { openTextModels } from '../text-models.ts'
import { COMMAND_LINE, print, table, warn, withStore } from './with-store.ts'

const version = (text: string): number => {
  const n = Number(text)
  if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError('It is a whole number from 1 on.')
  return n
}

export function registerPolicies(program: Command): void {
  const policies = program
    .command('policies')
    .description('Policies: show, list, publish, roll back.')
    .addHelpText('after', '\nExample:\n  $ touchstone policies show > policy.json')
  policies
    .command('show')
    .description('A policy document as JSON: edit it and publish it as the next version.')
    .option('--policy-version <n>', 'another than the active one', version)
    .addHelpText('after', '\nExample:\n  $ touchstone policies show > policy.json')
    .action(async (options: { policyVersion?: number }) => {
      await withStore('policies', async (_store, reference) => {
        const all = await reference.policies()
        const found = all.find((p) =>
          options.policyVersion === undefined ? p.active : p.policy.version === options.policyVersion,
        )
        if (found === undefined)
          throw new TouchstoneError('not-found', `there is no policy version ${options.policyVersion ?? ''}`)
        print(true, found.policy, '')
      })
    })
  policies
    .command('list')
    .description('All versions, the active one marked.')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  $ touchstone policies list')
    .action(async (options: { json?: boolean }) => {
      await withStore('policies', async (_store, reference) => {
        const all = await reference.policies()
        const rows = all.map((p) => [
          p.active ? '*' : '',
          String(p.policy.version),
          p.policy.policyId,
          p.publishedAt,
          p.publishedBy,
          p.policy.description.slice(0, 60),
        ])
        print(options.json, all, table(['', 'version', 'policy', 'published', 'by', 'description'], rows))
      })
    })
  policies
    .command('publish <file>')
    .description(
      'Check a document (schema, rules, its own examples) and make it the active version; - is standard input.',
    )
    .option('--based-on <n>', 'refuse if another version than this is active by now', version)
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  $ touchstone policies publish policy.json --based-on 1')
    .action(async (file: string, options: { basedOn?: number; json?: boolean }) => {
      const document = await readJsonFile(file)
      await withStore('policies', async (_store, reference) => {
        const config = readConfig(process.env)
        const { change, brands, policy } = await reference.load()
        if (policy === undefined) throw new TouchstoneError('not-ready', 'there is no active policy')
        const { log } = createTelemetry({ level: config.LOG_LEVEL ?? 'error' })
        const text = await openTextModels({ threads: 1, logger: log })
        const parts = await gateParts({
          currencies: config.TOUCHSTONE_CURRENCIES,
          budgetMs: config.TOUCHSTONE_LISTING_BUDGET_MS,
          textModel: text.shipped,
        })
        const gate = compileGate(parts, { change, brands, policy })
        const record = await publishPolicy(reference, gate, document, COMMAND_LINE, options.basedOn)
        print(options.json, record, `Version ${record.policy.version} of ${record.policy.policyId} is active.`)
        warn(record)
      })
    })
  policies
    .command('rollback')
    .description('Make the version that was active before active again.')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  $ touchstone policies rollback')
    .action(async (options: { json?: boolean }) => {
      await withStore('policies', async (_store, reference) => {
        const record = await rollbackPolicy(reference, await shippedModels(), COMMAND_LINE)
        print(options.json, record, `Version ${record.policy.version} of ${record.policy.policyId} is active again.`)
        warn(record)
      })
    })
}
