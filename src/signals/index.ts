// The one list of detectors: what stands here is asked about every listing, in this order.
import { brandSignal } from './brand/signal.ts'
import { imageHash } from './image-hash/signal.ts'
import { price } from './price/signal.ts'
import type { Signal } from './signal.ts'
import { textModel } from './text-model/signal.ts'
import { wording } from './wording/signal.ts'

export const SIGNALS: readonly Signal[] = [wording, brandSignal, price, imageHash, textModel]
