// One chapter of the demo plays under a policy with short holds, published and taken back like any other policy.
import type { Policy } from '../../domain/policy.ts'

export interface DemoPolicies {
  /** The one that the running gate decides with. */
  active(): Policy
  /** Publishes the document as the next version; resolves when the running gate decides with it. */
  publish(policy: Policy): Promise<void>
  /** Makes the one before active again; resolves when the running gate decides with it. */
  rollback(): Promise<void>
}

/** How a policy of the demo is known again by a later start, should this one be killed in the middle. */
const MARK = 'Of the demo: '

/** Plays `scene` with holds of `seconds`; afterwards the policy from before is active again, unless somebody published meanwhile. */
export async function withShortHolds(
  policies: DemoPolicies,
  seconds: number,
  note: (text: string) => void,
  scene: () => Promise<void>,
): Promise<void> {
  const before = policies.active()
  const short = {
    ...before,
    description: `${MARK}holds end after ${seconds} seconds.`,
    hold: { ...before.hold, deadlineSeconds: seconds },
  }
  await policies.publish(short)
  note(`Policy ${before.policyId}, version ${policies.active().version}, is live: holds end after ${seconds} seconds.`)
  try {
    await scene()
  } finally {
    if (await takeBackShortHolds(policies)) {
      const now = policies.active()
      note(
        `Policy ${now.policyId}, version ${now.version}, is active again: holds end after ${duration(now.hold.deadlineSeconds)}.`,
      )
    }
  }
}

/** Takes the demo's policy back if it is the active one; whether it was. */
export async function takeBackShortHolds(policies: DemoPolicies): Promise<boolean> {
  if (!policies.active().description.startsWith(MARK)) return false
  await policies.rollback()
  return true
}

function duration(seconds: number): string {
  if (seconds >= 7_200) return `${Math.round(seconds / 3_600)} hours`
  if (seconds >= 120) return `${Math.round(seconds / 60)} minutes`
  return `${seconds} seconds`
}
