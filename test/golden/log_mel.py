# requirements: librosa, numpy
# Golden values of log-mel features: ln(max(1e-10, librosa.feature.melspectrogram)) of made-up sounds, power 2, no lower edge.
# Run: python test/golden/log_mel.py
import json
import pathlib

import librosa
import numpy as np

random = np.random.default_rng(20261127)


def case(name, rate, seconds, mels, window_ms=25, hop_ms=10, silence=0.0):
    n = int(rate * seconds)
    t = np.arange(n) / rate
    x = 0.4 * np.sin(2 * np.pi * (rate / 9) * t) + 0.2 * np.sin(2 * np.pi * 130 * t * (1 + t)) + 0.05 * random.standard_normal(n)
    x[: int(silence * n)] = 0
    samples = np.round(x * 4096).clip(-8192, 8191)
    window, hop = round(rate * window_ms / 1000), round(rate * hop_ms / 1000)
    fft = 1 << (window - 1).bit_length()
    power = librosa.feature.melspectrogram(
        y=samples.astype(np.float64) / 8192, sr=rate, n_fft=fft, hop_length=hop, win_length=window, n_mels=mels)
    features = np.log(np.maximum(1e-10, power)).T
    return {"name": name, "rate": rate, "mels": mels, "windowMs": window_ms, "hopMs": hop_ms,
            "samples": [int(s) for s in samples], "features": [[float(f"{v:.7g}") for v in row] for row in features]}


cases = [
    case("8 kHz, the defaults", 8000, 0.21, 40),
    case("16 kHz, silence first", 16000, 0.09, 40, silence=0.5),
    case("2 kHz, the defaults", 2000, 0.31, 40),
    case("44.1 kHz, other windows", 44100, 0.03, 24, window_ms=12.5, hop_ms=4),
    case("shorter than a window", 11025, 0.012, 20),
]
text = {"comment": f"librosa.feature.melspectrogram. Written by test/golden/log_mel.py with librosa {librosa.__version__}.",
        "cases": cases}
file = pathlib.Path(__file__).parent / "log_mel.json"
file.write_text(json.dumps(text, separators=(",", ":")) + "\n")
print(f"{file.name}: {len(cases)} cases, {file.stat().st_size} bytes")
