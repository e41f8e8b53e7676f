// Banks from folders of pictures, for commands that record nothing: `counterfeit=known-fakes/`.
import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BANK_KINDS, bankSchema, type BankKind } from '../domain/bank.ts'
import { messageOf, TouchstoneError } from '../errors.ts'
import { hexOf } from '../imaging/picture.ts'
import { createBankEntries } from '../pipeline/banks/entries.ts'
import type { PictureReader } from '../pipeline/pictures/ports.ts'
import type { BankIndex } from '../signals/image-hash/ports.ts'

export interface BankFolder {
  readonly kind: BankKind
  readonly folder: string
}

/** `counterfeit=folder`; undefined where it is not of that form. */
export function parseBankFolder(text: string): BankFolder | undefined {
  const [name, ...rest] = text.split('=')
  const kind = BANK_KINDS.find((one) => one === name)
  const folder = rest.join('=')
  return kind === undefined || folder === '' ? undefined : { kind, folder }
}

/** Every file of the folders, not of folders in them. @throws TouchstoneError `input-invalid` naming what is no use. */
export async function readFolderBanks(folders: readonly BankFolder[], reader: PictureReader): Promise<BankIndex> {
  const entries = createBankEntries()
  for (const [i, { kind, folder }] of folders.entries()) {
    const bankId = `${kind}-${i + 1}`
    entries.putBank(bankSchema.parse({ bankId, name: folder, kind }))
    for (const file of await filesOf(folder)) {
      const bytes = await readFile(file)
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      const picture = await reader.read(bytes, sha256, AbortSignal.timeout(LONGEST_MS))
      if (picture.state === 'unseen') throw new TouchstoneError('input-invalid', `${file}: ${picture.message}`)
      if (picture.blank) throw new TouchstoneError('input-invalid', `${file}: nearly blank, it would match anything`)
      const { bytes: hash, quality } = picture.hash
      const source = { kind: 'import', file } as const
      const about = { imageId: randomUUID(), bankId, sha256, hash: hexOf(hash), quality, state: 'active' } as const
      entries.put({ ...about, source })
    }
  }
  return { size: entries.size, change: 0n, match: (picture) => entries.match(picture) }
}

/** Nobody else waits: a picture is read however busy the threads are. */
const LONGEST_MS = 60_000

async function filesOf(folder: string): Promise<string[]> {
  try {
    const found = await readdir(folder, { withFileTypes: true })
    return found
      .filter((entry) => entry.isFile())
      .map((entry) => join(folder, entry.name))
      .toSorted()
  } catch (error) {
    throw new TouchstoneError('input-invalid', `${folder}: ${messageOf(error)}`, { cause: error })
  }
}
