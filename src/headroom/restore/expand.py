"""One photo in, an HDR image out: the engine behind `headroom.expand`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headroom._version import __version__
from headroom.errors import InputError, UsageError
from headroom.image import FloatImage, GainMap, Hdr, Photo
from headroom.io import provenance
from headroom.methods.contract import Progress
from headroom.restore.clipping import clipped_codes, crush_level, crushed_codes, recovery_weight
from headroom.restore.compose import Shadows, compose, no_gain
from headroom.restore.linearise import Curve, linearise
from headroom.restore.network import Loaded, choose_preset, load_network
from headroom.restore.own_gain_map import gain_beyond, left_unmeasured, linear_rows, usable_map
from headroom.restore.panorama import margin_px, seamless
from headroom.restore.plan import TILED_BYTES_PER_PIXEL, make_plan
from headroom.restore.predict import Gains, Predict, Predictor
from headroom.restore.reduce import network_codes
from headroom.restore.sensor import fill_sensor

if TYPE_CHECKING:
    from headroom.restore.video import Steady


_LARGEST_GAIN_STOPS = 20.0
"""The sun's disc over a white wall in the shade; it keeps every result finite, whatever the weights."""
_LARGEST_EXPOSURE_EV = 32.0
_RAW_BYTES_PER_PIXEL = 48
"""Of camera RAW, its masks and its result while they are held together, measured."""


def expand(
    photo: Photo,
    *,
    method: str = "hybrid_ae",
    preset: str | None = None,
    weights: Path | None = None,
    max_headroom_stops: float | None = None,
    exposure_ev: float = 0.0,
    seed: int = 0,
    use_gain_map: bool = True,
    panorama: bool = False,
    steady: Steady | None = None,
    progress: Progress | None = None,
) -> Hdr:
    """Recover the dynamic range that a photo's clipping and quantisation lost.

    Measured pixels equal the linearised photo; clipped ones are filled in and marked in `Hdr.recovered`. A photo with
    a gain map of its own was measured beyond white: its pixels equal what the map makes of the linearised photo, and
    only clipped ones that the map leaves open too are filled in. In camera RAW, channels of the sensor are measured or
    clipped; light that no clipped channel contributes to is as measured. Methods that recover shadows also replace
    crushed pixels, by light that those could have stood for; in camera RAW nothing is crushed.

    Args:
        photo: An upright photo.
        method: Method id; see `headroom.methods.available`.
        preset: Size of the method; its default when None.
        weights: Path of a safetensors file to use instead of the weights that ship.
        max_headroom_stops: Brightest recovered value in stops above SDR white, or None for no bound. Measured pixels
            are not bounded: they get as bright as `exposure_ev` makes them.
        exposure_ev: Stops by which the whole result is brightened, -32 to 32.
        seed: Seed of methods that draw random numbers.
        use_gain_map: False to have the method fill in what a photo's own gain map knows.
        panorama: True for an equirectangular panorama, whose left and right edges meet.
        steady: Of the frames of one video, all given the same one in their order, what holds them together.
        progress: Told the finished share, 0 to 1.

    Returns:
        Linear pixels in the photo's own primaries. 1.0, SDR white, is full scale of the photo; in camera RAW it is
        where the first channel of a grey clips.

    Raises:
        UsageError: Unknown method or preset, or a value out of range.
        InputError: The photo is HDR already.
        InsufficientMemory: The photo does not fit.
        WeightsError: The weights are missing or damaged.
    """
    if photo.encoding.transfer in {"pq", "hlg"}:
        raise InputError(f"{photo.source or 'photo'}: is HDR already ({photo.encoding.transfer}). Convert it instead.")
    _check_limits(max_headroom_stops, exposure_ev)
    report = progress or (lambda _share: None)
    chosen, preset_name = choose_preset(method, preset, "expand")
    capabilities = chosen.presets[preset_name].capabilities
    is_raw = photo.encoding.sensor_matrix is not None
    held = _RAW_BYTES_PER_PIXEL + (0 if capabilities.working_side_px else TILED_BYTES_PER_PIXEL) if is_raw else None
    seen_width = photo.width + (2 * margin_px(photo.width) if panorama else 0)
    plan = make_plan(photo.height, seen_width, capabilities, held_bytes_per_pixel=held)
    loaded = load_network(method, preset_name, weights, plan.device)
    gain_map = usable_map(photo) if use_gain_map else None
    clipped = clipped_codes(photo) if capabilities.invents_content else np.zeros(photo.codes.shape, dtype=bool)
    crushed = crushed_codes(photo) if capabilities.recovers_shadows and not is_raw else None
    predict: Predict = Predictor(loaded, plan, seed, lambda share: report(share / 2))
    if panorama:
        predict = seamless(predict)
    if steady:
        predict = steady.follow(predict, shadows=crushed is not None)
    fill = fill_sensor if is_raw else partial(_fill, gain_map=gain_map, crushed=crushed, wraps=panorama)
    pixels, recovered = fill(
        photo,
        clipped,
        predict,
        strip_rows=plan.strip_rows,
        max_gain_stops=_largest_gain(max_headroom_stops, exposure_ev),
        progress=lambda share: report(0.5 + share / 2),
    )
    if exposure_ev:
        pixels *= np.float32(2**exposure_ev)
    asked = {
        "max_headroom_stops": max_headroom_stops,
        "exposure_ev": exposure_ev,
        "panorama": panorama,
        "smoothing": steady.smoothing if steady else None,
    }
    made = {
        **_origin(photo, loaded, linearise(photo), gain_map_used=gain_map is not None),
        "seed": seed,
        **provenance.unless_default(asked, exposure_ev=0.0, panorama=False),
    }
    seen = None if is_raw else photo  # codes of a sensor are no picture to carry on
    return Hdr(pixels, photo.encoding.primaries, recovered, seen, photo.metadata, made, photo.source)


def _check_limits(max_headroom_stops: float | None, exposure_ev: float) -> None:
    if not abs(exposure_ev) <= _LARGEST_EXPOSURE_EV:
        raise UsageError(
            f"exposure {exposure_ev} EV: give a value from -{_LARGEST_EXPOSURE_EV:g} to {_LARGEST_EXPOSURE_EV:g}."
        )
    if max_headroom_stops is not None and not max_headroom_stops >= 0:
        raise UsageError(f"headroom {max_headroom_stops} stops: give 0 or more.")


def _origin(photo: Photo, loaded: Loaded, curve: Curve, *, gain_map_used: bool) -> dict[str, Any]:
    """Say what made a result: the program, the network and the curve."""
    return {
        "headroom": __version__,
        "method": loaded.method.id,
        "preset": loaded.preset_name,
        "weights_sha256": loaded.weights_sha256,
        "gain_map": _gain_map_use(photo, used=gain_map_used),
        "curve": curve.encoding.transfer or "table",
        "curve_known": curve.encoding.known,
        "curve_uncertainty_stops": round(curve.uncertainty_stops, 3),
    }


def _gain_map_use(photo: Photo, *, used: bool) -> str:
    if photo.gain_map is None:
        return "unreadable" if photo.gain_map_problem else "none"
    return f"{'used' if used else 'ignored'} ({photo.gain_map.standard})"


def _fill(
    photo: Photo,
    clipped: NDArray[np.bool_],
    predict: Predict,
    *,
    gain_map: GainMap | None,
    crushed: NDArray[np.bool_] | None,
    wraps: bool,
    strip_rows: int,
    max_gain_stops: float,
    progress: Progress,
) -> tuple[FloatImage, FloatImage]:
    """Fill in the clipped codes of an RGB photo that its gain map leaves open, and crushed ones; see `fill_sensor`."""
    light = linear_rows(photo, photo.encoding, gain_map)
    left = left_unmeasured(clipped, gain_map)
    gains = Gains(no_gain, no_gain)
    if left.any() or (crushed is not None and crushed.any()):
        gains = predict(network_codes(photo, photo.encoding), clipped)
    shadows = None
    if crushed is not None:
        shadows = Shadows(recovery_weight(crushed, wraps=wraps), gains.shadows, crush_level(photo))
    return compose(
        light,
        recovery_weight(left, wraps=wraps),
        gain_beyond(light, gains.lights, max_gain_stops) if gain_map else gains.lights,
        strip_rows=strip_rows,
        max_gain_stops=max_gain_stops,
        progress=progress,
        shadows=shadows,
    )


def _largest_gain(max_headroom_stops: float | None, exposure_ev: float) -> float:
    """Give the gain, before the exposure, that a recovered pixel may take; it never falls below the clip level."""
    if max_headroom_stops is None:
        return _LARGEST_GAIN_STOPS
    return min(max(max_headroom_stops - exposure_ev, 0.0), _LARGEST_GAIN_STOPS)
