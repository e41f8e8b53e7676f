// The text model: the threads that it is asked in, and the version that ships.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createOnnxText, type OnnxText } from '../adapters/onnx/onnx-text.ts'
import { modelCardSchema, type ModelCard } from '../domain/model.ts'
import type { TextModel } from '../signals/text-model/ports.ts'
import type { Logger } from '../telemetry.ts'
import { TEXT_FEATURES } from '../text/features.ts'
import { PACKAGE_ROOT } from './package-root.ts'

/** The version under models/text/ that a fresh installation asks: it speaks on the invented marketplace alone. */
const SHIPPED_VERSION = '1'

const FOLDER = join(PACKAGE_ROOT, 'models', 'text', SHIPPED_VERSION)

/** What the version that ships says of itself. */
export async function shippedTextCard(): Promise<ModelCard> {
  return modelCardSchema.parse(JSON.parse(await readFile(join(FOLDER, 'card.json'), 'utf8')))
}

export interface TextModels extends OnnxText {
  readonly shipped: TextModel
}

/** Starts the threads and tries the version that ships. Rejects where it is missing or damaged. */
export async function openTextModels(options: { threads: number; logger: Logger }): Promise<TextModels> {
  const text = createOnnxText({ ...options, features: TEXT_FEATURES })
  try {
    const shipped = await text.load({
      card: await shippedTextCard(),
      body: await readFile(join(FOLDER, 'model.onnx')),
    })
    return { ...text, shipped }
  } catch (error) {
    await text.close()
    throw error
  }
}
