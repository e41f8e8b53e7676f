// Who may log in at the secured listeners of a test broker; the passwords guard nothing but loopback.

export interface KafkaUser {
  readonly name: string
  readonly password: string
}

export const USER: KafkaUser = { name: 'touchstone', password: 'only-for-tests' }
/** Known like the other; for tests in which the right user has too few rights. */
export const STRANGER: KafkaUser = { name: 'stranger', password: 'also-for-tests' }

export const USERS: readonly KafkaUser[] = [USER, STRANGER]
