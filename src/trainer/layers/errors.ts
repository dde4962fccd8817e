// A model that cannot be built, said in words and with its place in the experiment.

export class ModelError extends Error {
  override readonly name = 'ModelError';
  /** into the experiment, e.g. ["model", "layers", 2, "units"] */
  readonly path: (string | number)[];

  constructor(message: string, path: (string | number)[]) {
    super(message);
    this.path = path;
  }
}
