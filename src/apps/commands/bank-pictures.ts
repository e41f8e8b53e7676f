// `banks list | remove | empty | release | quarantine | vouch`: which banks there are and what is in them, and pictures out of their bank or their quarantine.
import { createInterface } from 'node:readline/promises'
import { Option, type Command } from 'commander'
import { createBankStore } from '../../adapters/postgres/bank-store.ts'
import { bankImageSchema, type BankImage } from '../../domain/bank.ts'
import { TouchstoneError } from '../../errors.ts'
import type { BankImageState, BankStore, BankSummary } from '../../rights/bank-ports.ts'
import { createProgress } from '../progress.ts'
import { complain } from '../terminal.ts'
import { inWords, plain, toLookAt } from './bank-alerts.ts'
import { COMMAND_LINE, print, table, withStore } from './with-store.ts'

interface Options {
  readonly json?: boolean
}

const ID = '6d7e4bce-ad2b-5c38-9af1-f764ecc399eb'

export function addPictureCommands(banks: Command): void {
  addVouch(banks)
  banks
    .command('list [bank]')
    .description('All banks with how many pictures they have, or the pictures of one with their ids.')
    .addOption(
      new Option('--state <state>', 'of one bank: those of it only').choices([
        'active',
        'quarantined',
        'alerted',
        'limited',
      ] satisfies BankImageState[]),
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\n`limited` are pictures of fakes for which nobody vouches: a rights holder’s word alone, or shown by an edit that nobody has looked at. They count only where their brand is named; see touchstone banks vouch.\n\nExample:\n  $ touchstone banks list\n  $ touchstone banks list fakes --state limited',
    )
    .action(async (bankId: string | undefined, { json, state }: Options & { readonly state?: BankImageState }) => {
      if (bankId === undefined && state !== undefined)
        throw new TouchstoneError(
          'usage',
          '--state is of the pictures of one bank: touchstone banks list BANK --state …',
        )
      await withBanks(async (store) =>
        bankId === undefined ? listBanks(store, json) : listPictures(store, bankId, state, json),
      )
    })
  addRemove(banks)
  addEmpty(banks)
  for (const [action, on, state, description, done] of [
    [
      'release',
      false,
      'active',
      'Let a picture out of quarantine, or answer its alerts: somebody has looked at it, and it matches again within 2 s.',
      'matches again',
    ],
    [
      'quarantine',
      true,
      'quarantined',
      'Put a picture into quarantine: within 2 s it matches nothing until it is released.',
      'matches nothing until it is released',
    ],
  ] as const)
    banks
      .command(`${action} <bank> <image>`)
      .description(description)
      .option('--json', 'print one JSON document')
      .addHelpText('after', `\nExample:\n  $ touchstone banks ${action} fakes ${ID}`)
      .action(async (bankId: string, imageId: string, { json }: Options) => {
        assertImageId(bankId, imageId)
        await withBanks(async (store) => {
          if (!(await store.quarantine(bankId, imageId, COMMAND_LINE, on, 'all'))) {
            const there = (await store.image(bankId, imageId, 'all')) !== undefined
            throw there
              ? new TouchstoneError(
                  'not-found',
                  `the picture ${imageId} of ${bankId} is ${on ? '' : 'not '}in quarantine`,
                )
              : await missing(store, bankId, imageId)
          }
          print(json, { bankId, imageId, state }, `${imageId} of ${bankId} ${done}.`)
        })
      })
}

const TRIED_AGAIN = '\nListings that stand held or blocked by it, and by no person’s word, are tried again.\n'

function addRemove(banks: Command): void {
  banks
    .command('remove <bank> <images...>')
    .description('Take pictures out of a bank: within 2 s they match nothing any more.')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `${TRIED_AGAIN}\nExample:\n  $ touchstone banks list fakes\n  $ touchstone banks remove fakes ${ID}\n\nExit codes: 0 done; 1 the bank has none of them; 3 done, but some were not in it.`,
    )
    .action(async (bankId: string, imageIds: string[], { json }: Options) => {
      for (const imageId of imageIds) assertImageId(bankId, imageId)
      await withBanks(async (store) => {
        const removed: string[] = []
        const absent: string[] = []
        for (const imageId of new Set(imageIds))
          ((await store.removeImage(bankId, imageId, COMMAND_LINE, 'all')) ? removed : absent).push(imageId)
        const [first] = absent
        if (first !== undefined && removed.length === 0) throw await missing(store, bankId, first)
        for (const imageId of absent) complain((await missing(store, bankId, imageId)).message)
        const named = imageIds.length === 1 ? { imageId: imageIds[0] } : { imageIds: removed, absent }
        print(json, { bankId, ...named, state: 'removed' }, `${removed.join('\n')} ${areOut(removed.length, bankId)}.`)
        process.exitCode = absent.length > 0 ? 3 : 0
      })
    })
}

const areOut = (count: number, bankId: string) => `${count === 1 ? 'is' : 'are'} out of ${bankId}`

function addEmpty(banks: Command): void {
  banks
    .command('empty <bank>')
    .description('Take all pictures out of a bank, those in quarantine too: within 2 s it matches nothing any more.')
    .option('--yes', 'do not ask; needed where nobody could answer')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `${TRIED_AGAIN}The bank itself stays, with its kind, owner and distance. What is added meanwhile may stay.\n\nExample:\n  $ touchstone banks empty fakes --yes`,
    )
    .action(async (bankId: string, { yes, json }: Options & { readonly yes?: boolean }) => {
      await withBanks(async (store) => {
        const bank = (await store.banks('all')).find((one) => one.bankId === bankId)
        if (bank === undefined) throw noBank(bankId)
        if (yes !== true && !(await agrees(bank)))
          throw new TouchstoneError('usage', `nothing was taken out of ${bankId}`)
        const progress = createProgress('banks empty')
        const held = bank.images + bank.quarantined
        let removed = 0
        for (let page = await store.images(bankId, { limit: PAGE }); page.length > 0;) {
          // One by one, as by hand: whoever decides meanwhile waits for one of them at most.
          for (const { imageId } of page) {
            if (await store.removeImage(bankId, imageId, COMMAND_LINE, 'all')) removed += 1
            progress.update(removed, held, `${removed} of ${held} pictures`)
          }
          page = await store.images(bankId, { after: page.at(-1)?.imageId, limit: PAGE })
        }
        progress.end()
        const said = `${removed} ${removed === 1 ? 'picture' : 'pictures'} ${areOut(removed, bankId)}, by ${COMMAND_LINE}.`
        print(json, { bankId, removed, by: COMMAND_LINE }, said)
      })
    })
}

async function agrees({ bankId, images, quarantined, kind }: BankSummary): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new TouchstoneError('usage', `say --yes to take all ${images + quarantined} pictures out of ${bankId}`)
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const all = `all ${images + quarantined} pictures out of ${bankId} (${kind})`
    return /^y(es)?$/i.test((await asking.question(`Take ${all}? [y/N] `)).trim())
  } finally {
    asking.close()
  }
}

function addVouch(banks: Command): void {
  banks
    .command('vouch <bank> <image>')
    .description(
      'Vouch for a picture that a rights holder added, or nobody has looked at: within 2 s it counts against listings that do not name its brand too.',
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `\nExample:\n  $ touchstone banks list nike-fakes\n  $ touchstone banks vouch nike-fakes ${ID}`,
    )
    .action(async (bankId: string, imageId: string, { json }: Options) => {
      assertImageId(bankId, imageId)
      await withBanks(async (store) => {
        if (!(await store.vouch(bankId, imageId, COMMAND_LINE))) throw await missing(store, bankId, imageId)
        print(json, { bankId, imageId, vouched: true }, `${imageId} of ${bankId} counts everywhere.`)
      })
    })
}

const withBanks = (work: (store: BankStore) => Promise<void>): Promise<void> =>
  withStore('banks', async (open) => {
    const { reading, listener } = open.database
    await work(createBankStore({ pool: reading, listener }))
  })

function assertImageId(bankId: string, imageId: string): void {
  if (!bankImageSchema.shape.imageId.safeParse(imageId).success)
    throw new TouchstoneError('usage', `${imageId} is no id of a picture; see touchstone banks list ${bankId}`)
}

const noBank = (bankId: string) =>
  new TouchstoneError('not-found', `there is no bank ${bankId}; see touchstone banks list`)

async function missing(store: BankStore, bankId: string, imageId: string): Promise<TouchstoneError> {
  if ((await store.bank(bankId, 'all')) === undefined) return noBank(bankId)
  return new TouchstoneError(
    'not-found',
    `there is no picture ${imageId} in ${bankId}; see touchstone banks list ${bankId}`,
  )
}

async function listBanks(store: BankStore, json: boolean | undefined): Promise<void> {
  const all = await Promise.all(
    (await store.banks('all')).map(async (bank) => ({ ...bank, toLookAt: await toLookAt(store, bank) })),
  )
  const rows = all.map((b) => [
    b.bankId,
    b.kind,
    b.brandId ?? '-',
    String(b.maxDistance),
    String(b.images),
    String(b.quarantined),
    String(b.alerted),
    String(b.limited),
    b.name,
  ])
  const header = ['bank', 'kind', 'brand', 'distance', 'pictures', 'in quarantine', 'alerts', 'limited', 'name']
  const held = all.flatMap((bank) => bank.toLookAt).map(inWords)
  print(json, all, all.length === 0 ? 'There are no banks.' : [table(header, rows), ...held].join('\n'))
}

/** In one question to the store. */
const PAGE = 1_000

async function listPictures(
  store: BankStore,
  bankId: string,
  state: BankImageState | undefined,
  json: boolean | undefined,
): Promise<void> {
  if ((await store.bank(bankId, 'all')) === undefined) throw noBank(bankId)
  const all: BankImage[] = []
  for (;;) {
    const page = await store.images(bankId, { after: all.at(-1)?.imageId, limit: PAGE, state })
    all.push(...page)
    if (page.length < PAGE) break
  }
  const rows = all.map(({ imageId, state: its, source, addedAt, addedBy }) => [
    imageId,
    its,
    cameFrom(source),
    addedAt,
    addedBy,
  ])
  const header = ['picture', 'state', 'came from', 'added', 'by']
  print(
    json,
    all,
    all.length === 0
      ? `The bank ${bankId} has no ${state === undefined ? '' : `${state} `}pictures.`
      : table(header, rows),
  )
}

const cameFrom = ({ file, listingId, kind, by }: BankImage['source']): string =>
  plain(file ?? (listingId === undefined ? kind : `verdict on ${listingId}`)) +
  (by === undefined ? '' : ` (${by === 'brand' ? 'rights holder' : 'an edit in between'}, nobody vouches)`)
