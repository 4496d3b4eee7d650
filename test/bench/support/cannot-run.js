// A bench that this machine cannot run. Its message is the reason, in a user's words.

/** Thrown by a bench before it measures anything. */
export class CannotRun extends Error {}
