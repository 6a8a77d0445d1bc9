"""An exit buffer that is read over the network, from a real XRootD server."""

from __future__ import annotations

from pathlib import Path

import pytest

from swf.epic.stf.sample import write_sample
from swf.epic.stf.simulate import SimulatedSource
from swf.epic.stf.write import write_stf
from swf.storage.location import join

from .xrootd_server import installed, serving

pytestmark = pytest.mark.skipif(not installed(), reason="needs the Debian package xrootd-server (make test APT=1)")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_remote_sample_is_the_local_one_and_reads_a_fraction(tmp_path: Path) -> None:
    pytest.importorskip("fsspec_xrootd", reason="needs swf-testbed[services]")
    buffer = tmp_path / "buffer"
    source = SimulatedSource(seed=3)
    facts = write_stf(
        buffer / "swf.7.000001.stf",
        source.frames(run=7, sequence=1, first_tf=0, tf_count=1000),
        provenance=source.provenance(7, 1),
    )
    (buffer / "swf.7.000001.stf").chmod(0o644)
    local = write_sample(buffer / "swf.7.000001.stf", tmp_path / "local" / "s.tf", 100, 163)
    with serving(tmp_path / "server", buffer) as address:
        remote = write_sample(join(address, "swf.7.000001.stf"), tmp_path / "remote" / "s.tf", 100, 163)
    assert remote.hits == local.hits > 0
    assert {n: h.to_json() for n, h in remote.histograms.items()} == {
        n: h.to_json() for n, h in local.histograms.items()
    }
    assert remote.sha256 == local.sha256
    assert remote.bytes_read < facts.size_bytes / 4
