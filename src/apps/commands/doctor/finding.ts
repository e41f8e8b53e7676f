// What `doctor` found out about one thing, and what to do about it.
export interface Finding {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'wrong'
  readonly detail: string
  /** What to do about it. */
  readonly cure?: string
}
