"""What Argo CD is told, and what Kustomize makes of it: waves, previews in namespaces of their own, digests."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from shoal import files
from shoal.cli.program import main
from shoal.deploy.delivery.argocd import Wish, compile_argocd
from shoal.deploy.delivery.waves import WAVE, WAVES
from shoal.deploy.kubernetes.settings import Environment
from shoal.errors import DeclarationError
from tests.deploy.authority import complaints, validator
from tests.deploy.samples import CAFE, artifacts, scope_of

KUBECTL = shutil.which("kubectl")
ENVIRONMENTS = (Environment(name="dev", least=1), Environment(name="production"))
WISH = Wish(repository="https://github.com/example/cafe", previews="github:example/cafe")
ROOT = Path(__file__).parents[3]
needs_kubectl = pytest.mark.skipif(KUBECTL is None, reason="kubectl, which builds kustomizations, is not here")


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the cafe for Kubernetes and for Argo CD, as a repository has them."""
    folder = tmp_path_factory.mktemp("cafe")
    files.write_all(folder / "deploy", artifacts(CAFE, *ENVIRONMENTS))
    files.write_all(folder / "argocd", compile_argocd(scope_of(CAFE, *ENVIRONMENTS), WISH))
    return folder


def read(file: Path) -> Any:
    return yaml.safe_load(file.read_text("utf-8"))


def built(folder: Path, name: str, **fields: Any) -> list[Any]:
    """Build a kustomization around another, as Argo CD does with what an Application says."""
    place = folder / name
    place.mkdir()
    (place / "kustomization.yaml").write_text(json.dumps({"kind": "Kustomization", **fields}), "utf-8")
    assert KUBECTL
    done = subprocess.run([KUBECTL, "kustomize", str(place)], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def test_an_environment_is_pruned_and_healed_from_its_own_folder(folder: Path) -> None:
    spec = read(folder / "argocd/environments.yaml")["spec"]
    assert spec["generators"][0]["list"]["elements"] == [
        {"name": "dev", "namespace": "cafe-dev"},
        {"name": "production", "namespace": "cafe-production"},
    ]
    application = spec["template"]["spec"]
    assert application["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}
    assert application["source"]["path"] == "deploy/releases/{{.name}}"
    ignored = {(one["kind"], *one.get("jsonPointers", ())) for one in application["ignoreDifferences"]}
    assert ("Rollout", "/spec/replicas") in ignored


def test_a_project_reaches_its_own_namespaces_from_its_own_repository(folder: Path) -> None:
    spec = read(folder / "argocd/project.yaml")["spec"]
    assert spec["sourceRepos"] == [WISH.repository]
    spaces = [one["namespace"] for one in spec["destinations"]]
    assert spaces == ["cafe-dev", "cafe-production", "cafe-pr-*"]


@needs_kubectl
def test_what_others_need_comes_before_them(folder: Path) -> None:
    source = read(folder / "argocd/environments.yaml")["spec"]["template"]["spec"]["source"]
    made = built(folder, "waves", resources=["../deploy/overlays/dev"], patches=source["kustomize"]["patches"])

    def wave(kind: str, name: str) -> int:
        (one,) = [d for d in made if d["kind"] == kind and d["metadata"]["name"] == name]
        return int(one["metadata"].get("annotations", {}).get(WAVE, 0))

    order = [
        wave("Namespace", "cafe-dev"),
        wave("ExternalSecret", "till"),
        wave("Cluster", "postgres"),
        wave("Deployment", "till"),
        wave("HTTPRoute", "till"),
    ]
    assert order == sorted(set(order))
    assert wave("NetworkPolicy", "postgres") < wave("Cluster", "postgres")
    # Where disks are made for their first pod, one that no pod has yet is never healthy: nothing may come after it.
    assert max(WAVES, key=lambda row: row[0])[1] == {"kind": "PersistentVolumeClaim"}
    for job in (d for d in made if d["kind"] == "Job"):
        assert job["metadata"]["annotations"]["argocd.argoproj.io/hook"] == "Sync"
    plain = built(folder, "plain", resources=["../deploy/overlays/dev"])
    for one in (d for some in (made, plain) for d in some if d["kind"] != "Job"):
        one["metadata"].get("annotations", {}).pop(WAVE, None)
        if not one["metadata"].get("annotations", True):
            del one["metadata"]["annotations"]
    assert [d for d in made if d["kind"] != "Job"] == [d for d in plain if d["kind"] != "Job"]


@needs_kubectl
def test_a_preview_is_nowhere_but_in_its_namespace(folder: Path) -> None:
    source = read(folder / "argocd/previews.yaml")["spec"]["template"]["spec"]["source"]
    assert source["path"] == "argocd/preview"
    around = read(folder / "argocd/preview/kustomization.yaml")
    said = json.loads(json.dumps(source["kustomize"]).replace("{{.number}}", "7").replace("{{.head_sha}}", "abc"))
    images = [
        {"name": n, "newName": v.rpartition(":")[0], "newTag": "abc"} for n, v in (i.split("=") for i in said["images"])
    ]
    around |= {"namespace": said["namespace"], "images": images, "patches": said["patches"]}
    around["resources"] = ["../deploy/overlays/dev"]
    made = built(folder, "pr", **around)
    text = json.dumps(made)
    assert "cafe-dev" not in text.replace("cafe-dev-", "")  # but for names of secrets, which it shares
    assert {d["metadata"]["namespace"] for d in made if "namespace" in d["metadata"]} == {"cafe-pr-7"}
    assert "/ns/cafe-pr-7/sa/till" in text
    (gateway,) = [d for d in made if d["kind"] == "Gateway" and d["metadata"]["name"] == "edge"]
    assert gateway["spec"]["listeners"][0]["hostname"] == "pr-7.dev.cafe.example"
    for deployment in (d for d in made if d["kind"] == "Deployment" and d["metadata"]["name"] in ("till", "menu")):
        assert deployment["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":abc")


@needs_kubectl
def test_a_release_is_a_digest_over_its_environment(folder: Path) -> None:
    """The pipelines write this with `kustomize edit set image`."""
    name, digest = "registry.example/cafe/till", f"sha256:{'a' * 64}"
    made = built(
        folder,
        "release",
        resources=["../deploy/overlays/production"],
        images=[{"name": name, "newName": name, "digest": digest}],
    )
    images = {
        d["metadata"]["name"]: d["spec"]["template"]["spec"]["containers"][0]["image"]
        for d in made
        if d["kind"] == "Deployment"
    }
    assert images["till"] == f"{name}@{digest}"
    assert images["menu"] == "registry.example/cafe/menu:0.1.0"


def test_what_is_written_is_valid(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert not complaints(validator(tmp_path_factory.mktemp("schemas")), folder / "argocd")


@pytest.mark.parametrize(
    "wrong", [{"repository": "file:///etc"}, {"repository": "https://a.example/x", "previews": "cvs:x"}]
)
def test_what_is_no_repository_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(DeclarationError):
        Wish(**wrong)


def test_the_command_writes_and_compares(tmp_path: Path) -> None:
    def invoke(*more: str) -> int:
        repository = ("--repository", "https://github.com/example/shop")
        with pytest.raises(SystemExit) as ended:
            main(["-C", str(ROOT), "deploy", "argocd", *repository, "--out", str(tmp_path), *more])
        return int(ended.value.code or 0)

    assert [invoke("--check"), invoke(), invoke("--check")] == [1, 0, 0]
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix) == [
        "environments.yaml",
        "kustomization.yaml",
        "project.yaml",
    ]
