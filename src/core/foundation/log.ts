/** What the parts of the program may say while they run; the command line decides where it goes. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** For library use and tests: says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
