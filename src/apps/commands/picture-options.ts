// The options of commands that try files: whether pictures are looked at, and with which folders they are compared.
import { stat } from 'node:fs/promises'
import { InvalidArgumentError, Option } from 'commander'
import type { Config } from '../../config.ts'
import { TouchstoneError } from '../../errors.ts'
import type { Gate } from '../../pipeline/assess.ts'
import { createTelemetry } from '../../telemetry.ts'
import { parseBankFolder, readFolderBanks, type BankFolder } from '../folder-banks.ts'
import { patient } from '../patient-reader.ts'
import { openPictures, type PictureUse } from '../pictures.ts'
import { complain } from '../terminal.ts'

export interface PictureOptions {
  images: PictureUse | 'none'
  bank: readonly BankFolder[]
}

export const pictureOptions = (): { images: Option; bank: Option } => ({
  images: new Option(
    '--images <how>',
    'what to do with pictures: none; inline: look at those that listings carry; fetch: at those behind URLs too; a folder (./none, if it is called so): at those that listings carry or name by a path below it, such as {"url": "shoes/1.jpg"}, and no URL is followed',
  )
    .argParser((text) => HOW.find((how) => how === text) ?? { folder: text })
    .default('none'),
  bank: new Option(
    '--bank <kind=folder>',
    'pictures to compare with, of kind genuine, counterfeit, logo or allowed; without any, pictures say nothing',
  )
    .default([], 'none')
    .argParser(bankFolder),
})

const HOW = ['none', 'inline', 'fetch'] as const

/** Whether rows may name files. */
export const isOfFiles = ({ images }: PictureOptions): boolean => typeof images !== 'string'

function bankFolder(text: string, before: readonly BankFolder[]): BankFolder[] {
  const parsed = parseBankFolder(text)
  if (parsed === undefined)
    throw new InvalidArgumentError('It is a kind and a folder, such as counterfeit=known-fakes.')
  return [...before, parsed]
}

/** @throws TouchstoneError `usage` for banks that nothing would be compared with. */
export function checkPictureOptions({ images, bank }: PictureOptions): void {
  if (images === 'none' && bank.length > 0)
    throw new TouchstoneError('usage', '--bank needs --images inline, --images fetch or --images FOLDER')
}

interface OpenPictures {
  readonly parts: Pick<Gate, 'pictures' | 'banks'>
  /** Files of the folders that are no use, each said on standard error. */
  readonly skipped: number
  close(): Promise<void>
}

/** What a gate needs to look at pictures as the options say; undefined: it does not. Must be closed. */
export async function openPicturesOf(
  { images, bank }: PictureOptions,
  config: Config,
): Promise<OpenPictures | undefined> {
  if (images === 'none') return undefined
  if (typeof images !== 'string') await assertFolder(images.folder)
  const { source, reader, close } = openPictures(
    config,
    createTelemetry({ level: config.LOG_LEVEL ?? 'error' }),
    images,
  )
  try {
    let skipped = 0
    const skip = (file: string, { code, message }: TouchstoneError) => {
      skipped += 1
      complain(`${file}: ${code}: ${message}`)
    }
    const looking = patient({ ...reader, close })
    const banks = await readFolderBanks(bank, looking, config.TOUCHSTONE_IMAGE_MAX_BYTES, skip)
    return { parts: { pictures: source, banks }, skipped, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** A word that is none of the others names a folder: what was mistyped must not pass for one in which nothing lies. */
async function assertFolder(folder: string): Promise<void> {
  if ((await stat(folder).catch(() => undefined))?.isDirectory() !== true)
    throw new TouchstoneError('usage', `--images is ${HOW.join(', ')} or a folder, and there is no folder ${folder}`)
}
