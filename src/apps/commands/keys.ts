// `keys`: who may call. A key is shown once, when it is made; only its hash is stored.
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { createKeyStore } from '../../adapters/postgres/access-store.ts'
import { createApiKey } from '../../api/secrets.ts'
import { ROLES, type Role } from '../../domain/access.ts'
import { TouchstoneError } from '../../errors.ts'
import { print, table, withStore } from './with-store.ts'

interface CreateOptions {
  role: Role
  brand: string[]
  marketplace?: string
  json?: boolean
}

const role = (text: string): Role => {
  const known = ROLES.find((r) => r === text)
  if (known === undefined) throw new InvalidArgumentError(`The roles are ${ROLES.join(', ')}.`)
  return known
}

export function registerKeys(program: Command): void {
  const keys = program
    .command('keys')
    .description('API keys: make, list, revoke.')
    .addHelpText('after', '\nExample:\n  $ touchstone keys create --role ingest')
  keys
    .command('create')
    .description('Make a key and print it, this once.')
    .requiredOption('--role <role>', `one of ${ROLES.join(', ')}`, role)
    .option(
      '--brand <id>',
      'a brand that a key of the role brand may see (repeatable)',
      (id: string, all: string[]) => [...all, id],
      [],
    )
    .option('--marketplace <name>', 'bind an ingest key to one marketplace')
    .option('--json', 'print { keyId, key, role, brandIds }')
    .addHelpText('after', '\nExample:\n  $ touchstone keys create --role ingest --marketplace demo --json')
    .action(async (options: CreateOptions) => {
      if (options.role === 'brand' && options.brand.length === 0)
        throw new TouchstoneError('usage', 'a key of the role brand needs at least one --brand')
      if (options.role !== 'brand' && options.brand.length > 0)
        throw new TouchstoneError('usage', '--brand goes with --role brand')
      if (options.marketplace !== undefined && options.role !== 'ingest')
        throw new TouchstoneError('usage', '--marketplace goes with --role ingest')
      await withStore('keys', async (store, reference) => {
        for (const id of options.brand) {
          if ((await reference.brand(id)) === undefined)
            throw new TouchstoneError('usage', `there is no brand ${id}; \`touchstone brands list\` shows them`)
        }
        const { keyId, key, hash } = createApiKey()
        const { marketplace } = options
        await createKeyStore(store.database.reading).create(
          { keyId, role: options.role, brandIds: options.brand, ...(marketplace === undefined ? {} : { marketplace }) },
          hash,
        )
        const made = {
          keyId,
          key,
          role: options.role,
          brandIds: options.brand,
          ...(marketplace === undefined ? {} : { marketplace }),
        }
        print(options.json, made, `${key}\n\nKey ${keyId} (${options.role}). It is not shown again.`)
      })
    })
  keys
    .command('list')
    .description('All keys, without their secrets.')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  $ touchstone keys list')
    .action(async (options: { json?: boolean }) => {
      await withStore('keys', async (store) => {
        const all = await createKeyStore(store.database.reading).list()
        const rows = all.map((k) => [
          k.keyId,
          k.role,
          k.brandIds.join(',') || '-',
          k.marketplace ?? '-',
          k.createdAt,
          k.revokedAt ?? '-',
        ])
        print(
          options.json,
          all,
          all.length === 0
            ? 'There are no keys yet: touchstone keys create --role ingest'
            : table(['key', 'role', 'brands', 'marketplace', 'created', 'revoked'], rows),
        )
      })
    })
  keys
    .command('revoke <keyId>')
    .description('Refuse a key from now on; live in running processes within 2 s.')
    .addHelpText('after', '\nExample:\n  $ touchstone keys revoke key_1a2b3c')
    .action(async (keyId: string) => {
      await withStore('keys', async (store) => {
        if (!(await createKeyStore(store.database.reading).revoke(keyId)))
          throw new TouchstoneError('not-found', `there is no key ${keyId}`)
        process.stdout.write(`Revoked ${keyId}.\n`)
      })
    })
}
