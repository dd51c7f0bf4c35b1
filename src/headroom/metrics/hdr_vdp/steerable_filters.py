"""Filters of the steerable pyramid with one and with four orientations, each tap that differs from others once.

Karasaridis and Simoncelli, "A filter design technique for steerable pyramid image transforms", ICASSP 1996; the numbers
are those of the authors' matlabPyrTools (MIT, Copyright (c) 2015 LabForComputationalVision).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headroom.metrics.hdr_vdp.display import Picture

_Taps = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class SteerableFilters:
    """Kernels of one pyramid.

    Attributes:
        high: What the pyramid's first band keeps.
        low: What its levels are made from.
        halve: What is kept of a level for the next one.
        oriented: The bands of a level, an orientation each.
    """

    high: Picture
    low: Picture
    halve: Picture
    oriented: tuple[Picture, ...]


def one_orientation() -> SteerableFilters:
    """Give the pyramid whose bands don't depend on direction."""
    return SteerableFilters(_round(_HIGH_1), _round(_LOW_1), _round(_HALVE_1), (_round(_BAND_1),))


def four_orientations() -> SteerableFilters:
    """Give the pyramid whose bands lie 45 degrees apart, upright edges first."""
    upright, diagonal = _upright(_UPRIGHT_4), _diagonal(_DIAGONAL_4)
    turned = (upright, diagonal, np.rot90(upright), np.rot90(diagonal))
    return SteerableFilters(_round(_HIGH_4), _round(_LOW_4), _round(_HALVE_4), turned)


def _round(octant: _Taps) -> Picture:
    """Complete a kernel that all eight symmetries of the square leave alone, given from its diagonal to the middle."""
    quarter = np.zeros((len(octant), len(octant)))
    for row, taps in enumerate(octant):
        quarter[row, row:] = quarter[row:, row] = taps
    half = np.hstack([quarter, quarter[:, -2::-1]])
    return np.vstack([half, half[-2::-1]])


def _upright(quarter: _Taps) -> Picture:
    """Complete a kernel that is the same above and below and opposite left and right, given column by column."""
    half = np.transpose(quarter)
    whole = np.vstack([half, half[-2::-1]])
    return np.hstack([whole, np.zeros((len(whole), 1)), -whole[:, ::-1]])


def _diagonal(triangle: _Taps) -> Picture:
    """Complete a kernel that is opposite across one diagonal and the same across the other, given between both."""
    side = len(triangle[0]) + 1
    kernel = np.zeros((side, side))
    for column, taps in enumerate(triangle):
        kernel[column + 1 : side - column, column] = taps
        kernel[side - 1 - column, column : side - 1 - column] = taps[::-1]
    return kernel - kernel.T


# fmt: off
_HIGH_1 = (
    (0.00059972, -6.068e-05, -0.00033249, -0.00033256, -0.00024066),
    (0.00012631, 0.00049271, 0.00014597, -0.00037321),
    (-0.00161665, -0.01437358, -0.02420138),
    (-0.06300923, -0.09623594),
    (0.8554893,),
)
_LOW_1 = (
    (-0.0004514, -0.00011371, -0.00037258, -0.00374386),
    (-0.00611952, -0.0134416, -0.0075632),
    (0.06441488, 0.1524935),
    (0.3153017,),
)
_HALVE_1 = (
    (-0.0002257, -0.00080644, -5.686e-05, 0.00087414, -0.00018628, -0.00103164, -0.00187192),
    (0.00141762, -0.00019038, -0.00244906, -0.00459642, -0.00700674, -0.0069489),
    (-0.00305976, -0.006401, -0.0067208, -0.00523618, -0.0037816),
    (-0.00526002, 0.00393862, 0.01722078, 0.024496),
    (0.03220744, 0.06306262, 0.07624674),
    (0.1116388, 0.1348999),
    (0.1576508,),
)
_BAND_1 = (
    (-9.066e-05, -0.00173864, -0.0049425, -0.00788939, -0.01009473),
    (-0.00462515, -0.00727254, -0.00762341, -0.00909195),
    (-0.0212954, -0.02435662, -0.03487008),
    (-0.01730466, -0.03158605),
    (0.9464195,),
)
_HIGH_4 = (
    (-0.000404839986, -0.00062596000498, -3.7829999201e-05, 0.00088387000142, 0.0015450799838, 0.0019235999789,
     0.0020687500946, 0.0020898699295),
    (-0.00032734998967, 0.00077435001731, 0.0015874400269, 0.0021750701126, 0.0025626500137, 0.0022892199922,
     0.0019755100366),
    (0.0011793200392, 0.0014050999889, 0.0022253401112, 0.0021145299543, 0.00033578000148, -0.00083368999185),
    (0.0012960999738, -0.00049274001503, -0.0031295299996, -0.0045751798898, -0.0051014497876),
    (-0.0063222697936, -0.0027556000277, 0.0053632198833, 0.0073032598011),
    (0.013962360099, 0.0078046298586, -0.0093812197447),
    (-0.079501636326, -0.1554141641),
    (0.7303866148,),
)
_LOW_4 = (
    (-8.7009997515e-05, -0.0013542800443, -0.001601260039, -0.00050337001448, 0.0025240099058),
    (0.0029215801042, 0.0075227199122, 0.0082244202495, 0.0011076199589),
    (-0.007061290089, -0.037694871426, -0.032971370965),
    (0.043813198805, 0.181160301),
    (0.4376249909,),
)
_HALVE_4 = (
    (-4.3500000174e-05, 0.00012078000145, -0.00067714002216, -0.00012434000382, -0.00080063997302,
     -0.0015970399836, -0.00025168000138, -0.00042019999819, 0.001261999947),
    (0.00044606000301, -0.00058146001538, 0.00056215998484, -0.00013688000035, 0.0023255399428, 0.0028898599558,
     0.0042872801423, 0.0055893999524),
    (0.0014607800404, 0.0021605400834, 0.0037613599561, 0.0030809799209, 0.0041121998802, 0.0022212199401,
     0.00055381999118),
    (0.0031757799443, 0.0031846798956, -0.0017774800071, -0.0074316998944, -0.0090569201857, -0.0096372198313),
    (-0.0035306399222, -0.012604200281, -0.018847439438, -0.017508180812, -0.016485679895),
    (-0.020229380578, -0.011091699824, 0.0039556599222, 0.014385120012),
    (0.021906599402, 0.068065837026, 0.090580143034),
    (0.1445499808, 0.1773651242),
    (0.2120374441,),
)
_UPRIGHT_4 = (
    (-0.00081125000725, 0.0044451598078, 0.012316980399, 0.013955879956, 0.01417945046),
    (0.0039103501476, 0.004456540104, -0.0058724298142, -0.0028760801069, 0.0085267601535),
    (0.0013462699717, -0.0037740699481, 0.0082581602037, 0.039442278445, 0.053605638444),
    (0.00074700999539, -0.00036522001028, -0.022522680461, -0.1105690673, -0.1768419296),
)
_DIAGONAL_4 = (
    (-0.00082846998703, -5.7109999034e-05, 4.0110000555e-05, 0.0046670897864, 0.0080871898681, 0.014807609841,
     0.0086204400286, -0.0031221499667),
    (-0.00097479997203, -0.0069718998857, -0.002086560009, 0.002329879906, -0.0044814897701, 0.014917500317),
    (-0.012145539746, -0.024427289143, 0.050797060132, 0.032785870135),
    (-0.1510555595, -0.082495503128),
)
# fmt: on
