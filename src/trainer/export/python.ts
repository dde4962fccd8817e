// Pieces of the exported Python that are the same for every run. Nothing of a run folder is put into code but
// numbers; its texts are data in task.json, and its name a comment.

/** One line that can end no docstring and start no escape. */
export function comment(text: string): string {
  return (
    text
      .replace(/[^\p{L}\p{N} _.,()+-]+/gu, ' ')
      .trim()
      .slice(0, 100) || 'a run'
  );
}

/** Python's `read_safetensors`; `values` are those of `entry`, from `begin` to `end` behind the header. */
function safetensorsReader(arrays: string, values: string): string {
  return `def read_safetensors(path):
    """A length, a JSON header, little-endian numbers: the safetensors package is not needed."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    ${arrays} = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        ${values}
        ${arrays}[name] = values.reshape(entry["shape"])
    return ${arrays}
`;
}

export const READ_SAFETENSORS = {
  torch: safetensorsReader(
    'tensors',
    `count = (end - begin) // 4
        values = torch.frombuffer(bytearray(data[8 + length + begin:8 + length + end]), dtype=torch.float32, count=count)`,
  ),
  numpy: safetensorsReader(
    'arrays',
    'values = np.frombuffer(data, "<f4", (end - begin) // 4, 8 + length + begin)',
  ),
};

const SOURCE = `    read = reference["source"]
    kind = torch.long if all(isinstance(value, int) for value in read["input"]) else torch.float32
    source = torch.tensor(read["input"], dtype=kind).reshape(read["shape"])
`;

/** `encoder`: the model also reads a source. */
export const check = (encoder: boolean) => `

def check(model):
    """Compares with what the run's own model said to a fixed input; where states carry it on, also in two parts."""
    reference = json.loads((HERE / "reference.json").read_text(encoding="utf-8"))
    symbols = all(isinstance(value, int) for value in reference["input"])
    kind = torch.long if symbols else torch.float32
    x = torch.tensor(reference["input"], dtype=kind).reshape(reference["shape"])
${encoder ? SOURCE : ''}    steps, batch = reference["shape"][:2]
    with torch.no_grad():
        outputs = [model(x${encoder ? ', model.encode(source)' : ''})[0]]
        if reference["parts"]:
            first, states = model(x[:steps // 2]${encoder ? ', model.encode(source)' : ''})
            outputs.append(torch.cat([first, model(x[steps // 2:], ${encoder ? 'model.encode(source), ' : ''}states)[0]]))
    expected = torch.tensor(reference["outputs"]).reshape(outputs[0].shape)
    scale = expected.abs().clamp(min=1)
    differences = [((each - expected).abs() / scale).max().item() for each in outputs]
    return max(differences), reference["tolerance"]


if __name__ == "__main__":
    difference, tolerance = check(load())
    agrees = difference <= tolerance
    print(f"largest difference from the run's own outputs: {difference:.1e} (tolerance {tolerance:.0e})")
    raise SystemExit(0 if agrees else "model.py and the run disagree")
`;
