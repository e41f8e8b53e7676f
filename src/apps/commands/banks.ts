// `banks import`: reference pictures in, live in running workers within 2 s.
import { basename } from 'node:path'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { createBankStore } from '../../adapters/postgres/bank-store.ts'
import type { Config } from '../../config.ts'
import { BANK_KINDS, bankSchema, MAX_DISTANCE, type Bank, type BankKind } from '../../domain/bank.ts'
import { describeIssues } from '../../domain/schema-issues.ts'
import { messageOf, TouchstoneError, type ErrorCode } from '../../errors.ts'
import { readReferencePicture } from '../../pipeline/banks/reference-picture.ts'
import type { KeptPicture } from '../../domain/kept-picture.ts'
import type { PictureReader } from '../../pipeline/pictures/ports.ts'
import type { BankStore } from '../../rights/bank-ports.ts'
import { createTelemetry } from '../../telemetry.ts'
import { patient } from '../patient-reader.ts'
import { pictureFiles, readPictureFile } from '../picture-files.ts'
import { openReader } from '../pictures.ts'
import { createProgress } from '../progress.ts'
import { complain } from '../terminal.ts'
import { addPictureCommands } from './bank-pictures.ts'
import { COMMAND_LINE, print, withStore } from './with-store.ts'

interface ImportOptions {
  readonly kind?: BankKind
  readonly brand?: string
  readonly distance?: number
  readonly json?: boolean
}

interface Reject {
  readonly file: string
  readonly code: ErrorCode
  readonly message: string
}

/** Pictures of one store transaction: they stand in memory together, of up to a hundred kilobytes each. */
const AT_ONCE = 100

export function registerBanks(program: Command): void {
  const banks = program
    .command('banks')
    .description(
      'Banks of genuine, counterfeit, logo and allowed pictures: import, list, remove, empty, vouch, quarantine, release.',
    )
    .addHelpText('after', '\nExample:\n  $ touchstone banks import fakes shoe-1.jpg shoe-2.jpg --kind counterfeit')
  banks
    .command('import <bank> <files...>')
    .description(
      'Add pictures to a bank, which is made where it is missing. A folder stands for the pictures in it. A file that cannot be read is named with its reason.',
    )
    .addOption(new Option('--kind <kind>', 'what the bank holds; needed where it is new').choices(BANK_KINDS))
    .option('--brand <id>', 'the brand that owns it; without one it is the deployment’s own')
    .option(
      '--distance <bits>',
      `bits of 256 in which a picture may differ, 0 to ${MAX_DISTANCE} (new banks: 31)`,
      bits,
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  $ touchstone banks import fakes *.jpg --kind counterfeit --brand nike\n\nExit codes: 0 done; 3 done, but some files were rejected.',
    )
    .action(async (bankId: string, paths: string[], options: ImportOptions) => {
      const files = await pictureFiles(paths)
      await withStore('banks', async (open, reference, config) => {
        const { reading, listener } = open.database
        const store = createBankStore({ pool: reading, listener })
        if (options.brand !== undefined && (await reference.brand(options.brand)) === undefined)
          throw new TouchstoneError('usage', `there is no brand ${options.brand}; see touchstone brands list`)
        const { bank, before } = await bankOf(store, bankId, options)
        const changed = before === undefined ? [] : changesOf(bank, before)
        // A new one is made with its first picture: files of no use leave no empty bank behind.
        let made = before !== undefined && changed.length === 0
        const make = async () => {
          if (!made) await store.upsertBank(bank, COMMAND_LINE, 'all')
          made = true
        }
        if (before !== undefined) await make()
        const telemetry = createTelemetry({ level: config.LOG_LEVEL ?? 'warn' })
        const reader = patient(openReader(config, telemetry))
        try {
          const { added, present, rejected } = await importFiles({ store, reader, config, bankId, files, make })
          print(
            options.json,
            { bankId, changed, added, present, rejected },
            [
              ...changed,
              `${added} added, ${present} there already, ${rejected.length} rejected.`,
              ...(made ? [] : [`The bank ${bankId} was not made: no picture could be read.`]),
            ].join('\n'),
          )
          process.exitCode = rejected.length > 0 ? 3 : 0
        } finally {
          await reader.close()
        }
      })
    })
  addPictureCommands(banks)
}

function bits(text: string): number {
  const n = Number(text)
  if (!/^\d+$/.test(text) || n > MAX_DISTANCE)
    throw new InvalidArgumentError(`It is a whole number from 0 to ${MAX_DISTANCE}.`)
  return n
}

/** The bank as the options want it; nothing is written yet. */
async function bankOf(
  store: BankStore,
  bankId: string,
  options: ImportOptions,
): Promise<{ readonly bank: Bank; readonly before: Bank | undefined }> {
  const before = await store.bank(bankId, 'all')
  if (before === undefined && options.kind === undefined)
    throw new TouchstoneError('usage', `there is no bank ${bankId} yet: say what it holds with --kind`)
  const wanted: Partial<Bank> = {
    ...(before ?? { bankId, name: bankId }),
    ...(options.kind === undefined ? {} : { kind: options.kind }),
    ...(options.brand === undefined ? {} : { brandId: options.brand }),
    ...(options.distance === undefined ? {} : { maxDistance: options.distance }),
  }
  const parsed = bankSchema.safeParse(wanted)
  if (!parsed.success) throw new TouchstoneError('usage', describeIssues(parsed.error, wanted).message)
  return { bank: parsed.data, before }
}

/** What an import changed of a bank that was there: it counts for all its pictures, not only for the new ones. */
const changesOf = (bank: Bank, before: Bank): string[] =>
  (['kind', 'brandId', 'maxDistance'] as const)
    .filter((field) => bank[field] !== before[field])
    .map(
      (field) => `${field} of ${bank.bankId} is ${bank[field] ?? 'nobody'} now, it was ${before[field] ?? 'nobody'}.`,
    )

async function importFiles(work: {
  readonly store: BankStore
  readonly reader: PictureReader & { readonly threads: number }
  readonly config: Config
  readonly bankId: string
  readonly files: readonly string[]
  /** Called before pictures are added. */
  make(): Promise<void>
}): Promise<{ added: number; present: number; rejected: Reject[] }> {
  const { store, reader, config, bankId, files } = work
  const progress = createProgress('banks import')
  const rejected: Reject[] = []
  let [added, present, done] = [0, 0, 0]
  for (let from = 0; from < files.length; from += AT_ONCE) {
    const bite = files.slice(from, from + AT_ONCE)
    const pictures: (KeptPicture | undefined)[] = bite.map(() => undefined)
    let next = 0
    // Two for each thread: while one is decoded the next is read from the disk.
    const lane = async () => {
      for (let i = next++; i < bite.length; i = next++) {
        const file = bite[i] ?? ''
        try {
          const bytes = await readPictureFile(file, config.TOUCHSTONE_IMAGE_MAX_BYTES)
          pictures[i] = await readReferencePicture(reader, bytes)
        } catch (error) {
          const code = error instanceof TouchstoneError ? error.code : 'input-invalid'
          rejected.push({ file, code, message: messageOf(error) })
          complain(`${file}: ${code}: ${messageOf(error)}`)
        }
        progress.update(++done, files.length, `${done} of ${files.length} files, ${rejected.length} rejected`)
      }
    }
    await Promise.all(Array.from({ length: 2 * reader.threads }, lane))
    const images = pictures.flatMap((picture, i) =>
      picture === undefined
        ? []
        : [{ picture, source: { kind: 'import' as const, file: basename(bite[i] ?? '').slice(0, 500) } }],
    )
    if (images.length === 0) continue
    await work.make()
    const result = await store.addImages(bankId, images, COMMAND_LINE, 'all')
    // An animation has an entry for each of its frames.
    added += new Set(result.added.map(({ sha256 }) => sha256)).size
    present += result.present
  }
  progress.end()
  return { added, present, rejected }
}
