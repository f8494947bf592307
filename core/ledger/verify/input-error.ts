/** A bundle or a trust policy that cannot be read at all: not evidence that fails, but the wrong file, or a damaged one. The CLI exits with 2. */
export class AuditInputError extends Error {
  override readonly name = "AuditInputError";
  readonly input: "bundle" | "trust policy";
  constructor(input: "bundle" | "trust policy", reason: string) {
    super(`the ${input} ${reason}`);
    this.input = input;
  }
}
