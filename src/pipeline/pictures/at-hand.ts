// Whether a picture can be asked for: at its URL, or in the bytes that came inline, where they still lie beside it.
import type { ImageReference } from './ports.ts'

export const isAtHand = ({ url, data }: ImageReference): boolean => url !== undefined || data !== undefined
