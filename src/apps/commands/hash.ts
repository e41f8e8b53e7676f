// `hash`: the perceptual hash (PDQ) of picture files, as listings' pictures are hashed.
import { createHash } from 'node:crypto'
import type { Command } from 'commander'
import { readConfig, type Config } from '../../config.ts'
import { messageOf, TouchstoneError } from '../../errors.ts'
import { hexOf, type Picture } from '../../imaging/picture.ts'
import type { PictureReader } from '../../pipeline/pictures/ports.ts'
import { createTelemetry } from '../../telemetry.ts'
import { patient } from '../patient-reader.ts'
import { pictureFiles, readPictureFile } from '../picture-files.ts'
import { openReader } from '../pictures.ts'
import { createProgress } from '../progress.ts'
import { complain } from '../terminal.ts'

interface Hashed {
  readonly file: string
  readonly hash: string
  readonly quality: number
  readonly blank: boolean
  readonly format: string
  readonly width: number
  readonly height: number
  /** It ends too soon or is broken; the hash is of what can be seen. */
  readonly damaged?: true
  /** An animation; the hash is that of its first frame. */
  readonly firstFrame?: true
  /** Browsers show another picture than the one that was hashed. */
  readonly shownOtherwise?: true
}

interface Rejected {
  readonly file: string
  readonly code: string
  readonly message: string
}

export function registerHash(program: Command): void {
  program
    .command('hash <files...>')
    .description(
      'The perceptual hash (PDQ) of pictures, one `HASH QUALITY FILE` a line, in the order of the files; of a folder the pictures in it; of an animation that of its first frame, as other tools do.',
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  $ touchstone hash shoe-1.jpg shoe-2.png\n  $ touchstone hash photos\n\nHashes of a quality below 50 match nothing here. Damaged files are hashed as far as they can be seen and, like animations, named on standard error; --json has `damaged`, `firstFrame` and `shownOtherwise`. Exit codes: 0 done; 3 done, but some files could not be read.',
    )
    .action(async (files: string[], options: { json?: boolean }) => {
      process.exitCode = await hash(files, options.json === true)
    })
}

async function hash(paths: readonly string[], json: boolean): Promise<number> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever reads has seen enough.
    if (error.code === 'EPIPE') process.exit(0)
  })
  const config = readConfig(process.env)
  const files = await pictureFiles(paths)
  const telemetry = createTelemetry({ level: config.LOG_LEVEL ?? 'warn' })
  const reader = patient(openReader(config, telemetry, { firstFrame: true }))
  const progress = createProgress('hash')
  const hashes: Hashed[] = []
  const rejected: Rejected[] = []
  const waiting: Promise<Hashed | Rejected>[] = []
  let next = 0
  try {
    for (let done = 0; done < files.length; done++) {
      // Two for each thread: while one is decoded the next is read from the disk. Answers are taken in the order of the files.
      while (next < files.length && next < done + 2 * reader.threads)
        waiting.push(hashFile(reader, config, files[next++] ?? ''))
      const answer = await waiting.shift()
      if (answer === undefined) break
      if ('code' in answer) {
        rejected.push(answer)
        complain(`${answer.file}: ${answer.code}: ${answer.message}`)
      } else {
        for (const note of notesOf(answer)) complain(`${answer.file}: ${note}`)
        if (json) hashes.push(answer)
        else process.stdout.write(`${answer.hash} ${answer.quality} ${onOneLine(answer.file)}\n`)
      }
      progress.update(done + 1, files.length, `${done + 1} of ${files.length} files, ${rejected.length} rejected`)
    }
  } finally {
    progress.end()
    await reader.close()
  }
  if (json) process.stdout.write(`${JSON.stringify({ hashes, rejected }, null, 2)}\n`)
  return rejected.length > 0 ? 3 : 0
}

/** Never rejects. */
async function hashFile(reader: PictureReader, config: Config, file: string): Promise<Hashed | Rejected> {
  try {
    const bytes = await readPictureFile(file, config.TOUCHSTONE_IMAGE_MAX_BYTES)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    // The time for a picture is the reader's own; for the files before it nobody counts.
    return answerOf(file, await reader.read(bytes, sha256, new AbortController().signal))
  } catch (error) {
    const code = error instanceof TouchstoneError ? error.code : 'input-invalid'
    return { file, code, message: messageOf(error) }
  }
}

function answerOf(file: string, picture: Picture): Hashed | Rejected {
  if (picture.state === 'unseen') return { file, code: picture.fault, message: picture.message }
  const { hash, blank, format, width, height, damaged, unseenFrames, shownOtherwise } = picture
  return {
    file,
    hash: hexOf(hash.bytes),
    quality: hash.quality,
    blank,
    format,
    width,
    height,
    ...(damaged === undefined ? {} : { damaged }),
    ...(unseenFrames === undefined ? {} : { firstFrame: unseenFrames }),
    ...(shownOtherwise === undefined ? {} : { shownOtherwise }),
  }
}

/** What a line of hash, quality and name has no room for. */
const notesOf = ({ damaged, firstFrame, shownOtherwise }: Hashed): string[] => [
  ...(damaged === true ? ['damaged: it ends too soon or is broken; the hash is of what can be seen'] : []),
  ...(firstFrame === true ? ['an animation: the hash is that of its first frame'] : []),
  ...(shownOtherwise === true ? ['browsers show it otherwise: its colours are no ordinary sRGB'] : []),
]

/** A name may hold line ends; who reads lines must not take the rest of it for a hash. */
const onOneLine = (file: string): string => (/\p{Cc}/u.test(file) ? JSON.stringify(file) : file)
