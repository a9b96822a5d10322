# ruff: noqa: E501 - lines stand as the pages print them
"""How each command of the pages is walked: a row for every line that a reader can copy.

A line is executed as it is printed, in a folder that has files of the names it uses, and must end
with ``code``. Where that cannot be:

- ``instead`` puts other words in, where the printed ones stand for something of the reader's;
- ``small`` measures a toy, by a small plan, where the line names real weights: the name of the
  model is checked, nothing is fetched;
- ``parsed`` only lets click read the line with all its options, and says why;
- ``make`` targets are asked what they would do, since they would run these tests.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Walk:
    """How one line is walked."""

    code: int = 0
    instead: dict[str, str] = field(default_factory=dict)
    small: bool = False
    parsed: str = ""
    typed: tuple[str, ...] = ()
    """What somebody at a terminal answers."""

    empty: tuple[str, ...] | None = None
    """In a folder that has these folders and nothing else."""

    pdf: bool = False
    """With real PDF files, which take seconds; elsewhere a stand-in is written."""

    says: str = ""
    """What the answer must have."""


SMALL = Walk(small=True)
ANSWERS = ("embedded:demo", "none", "regions", "terrorism", "none", "severe")
AUDITS_UNIT = {"visual.layer4.2:1895": "toy.colours:3"}
GROUP = {"middle_east": "ones", '"Middle East"': "Ones"}
FINDING = {"BA1234": "{finding}", "BA13295b34": "{finding}"}
STORED = {"s3://bucket/faces/photos.csv": "memory://walked/faces/photos.csv"}
SERVER = {"https://mlflow.example.org": "sqlite:///{room}/mlflow.db"}
ITS_PACKS = {"AUDIT": "AUDIT --packs packs"}
MODEL = {"RN50/openai": "toy/letters"}
ITS_MODEL = {"RN50x4-quickgelu": "toy", "--pretrained openai": ""}
SCORED = {
    "...": "--images images.npy --texts texts.npy --groups groups.csv --labels labels.csv --out DIR"
}

WALKS: dict[str, Walk] = {
    # README.md
    "make demo": Walk(says="clip-audit demo"),
    "make test": Walk(says="pytest"),
    "clip-audit run --model RN50x4-quickgelu --pretrained openai --out audits/": SMALL,
    "clip-audit run --model ViT-B-32 --pretrained ./checkpoint.safetensors": SMALL,
    "clip-audit run --model local-dir:./my-clip --offline --fail-on high": Walk(small=True, code=1),
    "clip-audit run --model RN50-quickgelu --pretrained openai --photos photos.csv --packs my-packs/":
        SMALL,
    "clip-audit init plan.toml": Walk(typed=ANSWERS, empty=(), says="fixed beforehand"),
    "clip-audit run plan.toml --fail-on high": Walk(code=1, says="Gate: FAILED"),
    "clip-audit models list": Walk(says="ViT-B-32"),
    "clip-audit models inspect RN50": Walk(says="visual.layer4.2"),
    "clip-audit concepts list": Walk(says="terrorism"),
    "clip-audit concepts show terrorism": Walk(says="severity 4"),
    "clip-audit config check my-packs/": Walk(says="without errors"),
    "clip-audit explain BA1234 audits/FOLDER": Walk(instead=FINDING, says="Evidence:"),
    "clip-audit unit audits/FOLDER visual.layer4.2:1895": Walk(instead=AUDITS_UNIT),
    "clip-audit unit audits/FOLDER --concept middle_east": Walk(instead=GROUP),
    "clip-audit report audits/FOLDER --format html,pdf": Walk(pdf=True, says="report.pdf"),
    "clip-audit report audits/FOLDER --language zh-Hans": Walk(says="zh-Hans"),
    "clip-audit report audits/FOLDER --edition public": Walk(says="public"),
    "clip-audit report audits/FOLDER --format sarif,junit": Walk(says="junit"),
    "clip-audit crosswalk --audit audits/FOLDER": Walk(says="eu-ai-act"),
    "clip-audit verify audits/FOLDER": Walk(says="complete and unchanged"),
    "clip-audit waive --list --audit audits/FOLDER": Walk(says="active"),
    "clip-audit store add audits/FOLDER": Walk(says="of the chain"),
    "clip-audit history": Walk(says="toy/letters: "),
    "clip-audit check --model RN50/openai --max-age 90d": Walk(instead=MODEL, says="Gate: passed"),
    "clip-audit schedule run-due": Walk(),
    "clip-audit track audits/FOLDER --to mlflow": Walk(says="logged: run "),
    "clip-audit mitigate audits/FOLDER":
        Walk(instead={"audits/FOLDER": "AUDIT --packs packs"}, says="mitigation.json"),
    "clip-audit score --scores scores.csv --groups groups.csv --labels labels.csv --out DIR": SMALL,
    "clip-audit score --images images.npy --texts texts.npy --groups groups.csv --labels labels.csv "
    "--out DIR": SMALL,
    "clip-audit score ... --units visual.layer4.2:preact-max=units.npz::a --readout "
    "visual.layer4.2=w.npy": Walk(instead=SCORED, small=True),
    "clip-audit explain weat": Walk(says="WEAT"),
    "clip-audit explain --list": Walk(says="weat"),
    "clip-audit selftest --data FOLDER": Walk(code=4, says="Nothing to compare"),
    # CONTRIBUTING.md
    "make setup": Walk(says=".ci/setup.sh"),
    "make check": Walk(says="ruff check"),
    "make golden": Walk(says="golden"),
    "make bench": Walk(says="benchmarks.speed"),
    # docs/attribution.md
    'clip-audit inspect embedded:demo "a photo of a debeo" --minus "a photo of a vranem"': Walk(),
    'clip-audit inspect RN50x4-quickgelu "a photo of a terrorist" --pretrained openai --audit AUDIT '
    "--format json": Walk(instead=ITS_MODEL),
    "clip-audit codes embedded:demo --words debeo,klabeox,baker,weaver --size 1.5 --size 4": Walk(),
    "clip-audit codes RN50x4-quickgelu --pretrained openai --check-published --data DATA":
        Walk(code=4, says="Not compared with the published codes"),
    # docs/ci.md
    "clip-audit init plans/faces.toml": Walk(typed=ANSWERS, empty=("plans",)),
    "clip-audit config check plans/faces.toml": Walk(says="without errors"),
    "clip-audit run plans/faces.toml --out audits/": Walk(),
    'clip-audit init plans/faces.toml --yes --model "ViT-B-32 laion2b_s34b_b79k" --families '
    "regions,religions --harms terrorism --gate strict": Walk(empty=("plans",)),
    "clip-audit run plans/faces.toml --offline --format html --out audits/": Walk(),
    'clip-audit gate "$audit" --plan plans/faces.toml --format markdown':
        Walk(instead={'"$audit"': "AUDIT"}, says="### Gate"),
    "clip-audit run plans/faces.toml --format html --out audits/": Walk(),
    # docs/compare.md
    "clip-audit compare BEFORE AFTER": Walk(says="contrasts:"),
    "clip-audit compare MONDAY TUESDAY WEDNESDAY": Walk(says="contrasts:"),
    "clip-audit compare BEFORE AFTER --all": Walk(),
    "clip-audit compare BASE FINE-TUNED --fail-on worse": Walk(code=1, says=" new"),
    "clip-audit compare BEFORE AFTER --format markdown": Walk(says="### "),
    # docs/crosswalk.md
    "clip-audit crosswalk": Walk(says="eu-ai-act"),
    "clip-audit crosswalk eu-ai-act": Walk(),
    "clip-audit crosswalk --audit AUDIT": Walk(),
    "clip-audit crosswalk eu-ai-act --audit AUDIT": Walk(),
    "clip-audit crosswalk --audit AUDIT --format csv": Walk(),
    "clip-audit crosswalk --audit AUDIT --governance said.toml --with outcomes --with schedule":
        Walk(),
    "clip-audit crosswalk --file our-policy.yaml --audit AUDIT": Walk(),
    # docs/editions.md
    "clip-audit report AUDIT": Walk(says="report.html"),
    "clip-audit report AUDIT --edition shareable": Walk(says="shareable"),
    "clip-audit report AUDIT --edition public": Walk(says="public"),
    "clip-audit report AUDIT --language zh-Hans": Walk(says="report.zh-Hans.html"),
    "clip-audit report AUDIT --since EARLIER": Walk(says="report.html"),
    # Nobody has filled the file in here.
    "clip-audit report AUDIT --governance said.toml --final": Walk(code=4),
    "clip-audit report --governance-template": Walk(says="[system]"),
    # docs/exports.md
    "clip-audit run plan.toml --fail-on high --format html,pdf,sarif,junit": Walk(code=1),
    "clip-audit report AUDIT --format sarif,junit,cyclonedx,spdx,intoto,modelcard,markdown": Walk(),
    "clip-audit report AUDIT --format sarif --sarif-suppressed include --output audit.sarif": Walk(),
    "clip-audit explain BA1001": Walk(says="BA1001"),
    'clip-audit report "$AUDIT" --format markdown --output summary.md':
        Walk(instead={'"$AUDIT"': "AUDIT"}),
    # docs/gate.md
    "clip-audit gate AUDIT --fail-on high --waivers waivers.toml": Walk(says="Gate: passed"),
    "clip-audit baseline AUDIT --output baseline.json": Walk(says="fixed beforehand"),
    "clip-audit run plan.toml --fail-on-new medium --baseline baseline.json": Walk(code=1),
    "clip-audit waive --list --audit AUDIT": Walk(says="active"),
    "clip-audit waive BA13295b34 --audit AUDIT --for 90d --category mitigated_downstream --owner "
    '"Ada Example" --approved-by "Grace Example" --reason "The product never shows pictures of this '
    'group; ticket 1287 tracks it."':
        Walk(instead=FINDING | {"--audit": "--waivers new.toml --audit"}, says="is waived from"),
    "clip-audit waive --list --waivers waivers.toml": Walk(says="active"),
    # docs/history.md
    "clip-audit serve audits-kept": Walk(says="audits-kept is shown at http://"),
    "clip-audit serve audits-kept --schedules schedules.toml --waivers waivers.toml":
        Walk(says="is shown at"),
    "clip-audit serve audits-kept --max-age 90d": Walk(says="is shown at"),
    "clip-audit serve audits-kept --port 0": Walk(says="is shown at"),
    # docs/languages.md
    "clip-audit report AUDIT --edition public --language zh-Hans": Walk(says="zh-Hans"),
    "clip-audit report --help": Walk(says="zh-Hans"),
    # docs/mitigate.md
    "clip-audit mitigate AUDIT": Walk(instead=ITS_PACKS, says="mitigation.json"),
    "clip-audit mitigate AUDIT --finding BA1234 --treatment project":
        Walk(instead=ITS_PACKS | FINDING, says="mitigation.json"),
    "clip-audit mitigate AUDIT --strengths 0.5,1 --photos photos.csv --packs my-packs/":
        Walk(instead={"--photos photos.csv": "", "my-packs/": "packs"}, says="mitigation.json"),
    "clip-audit mitigate AUDIT --treatment project --strength 0.75 --save-checkpoint "
    "treated.safetensors": Walk(parsed="a toy has no weights to write"),
    # docs/outcomes.md
    "clip-audit outcomes decisions.csv --category sex --category race --selected hired": Walk(),
    "clip-audit outcomes decisions.csv --category sex --category race --score score": Walk(),
    "clip-audit outcomes --about-template": Walk(),
    "clip-audit outcomes decisions.csv --category sex --category race --selected hired --about "
    "about.toml --leave-out-small --final --format html --out outcomes.html": Walk(code=4),
    "clip-audit outcomes decisions.csv --category sex --selected hired --public --format html":
        Walk(says="<html"),
    # docs/plans.md
    "clip-audit config check plan.toml waivers.toml packs/": Walk(says="without errors"),
    "clip-audit config explain --plan plan.toml": Walk(says="[model]"),
    "clip-audit config schema": Walk(says="json-schema.org"),
    "clip-audit config schema --of waivers": Walk(says="approved_by"),
    # docs/real-embeddings.md
    "clip-audit score --groups groups.csv --units visual.layer4.2:preact-max=units.npz::layer4 --units "
    "visual.layer3.5:preact-max=more.parquet --images emb.npy --texts texts.npy --labels labels.csv "
    "--readout visual.layer4.2=readout.npy": SMALL,
    # docs/reports.md
    "clip-audit report AUDIT --format html,pdf": Walk(says="report.pdf"),
    # docs/schedule.md
    "clip-audit schedule check": Walk(code=4, says="stale"),
    "clip-audit schedule list": Walk(says="nightly"),
    "clip-audit schedule run nightly": Walk(says="nightly: passed"),
    "clip-audit schedule daemon": Walk(),
    "clip-audit schedule export --to systemd --output units/": Walk(says="units/clip-audit.timer"),
    # docs/selftest.md
    "clip-audit selftest --data public-data": Walk(code=4),
    "clip-audit selftest --fetch https://example.org/public-data":
        Walk(parsed="there is no such server"),
    # docs/signing.md
    "clip-audit key new auditor.pem": Walk(empty=()),
    "clip-audit key new auditor.pem --passphrase": Walk(empty=()),
    "clip-audit sign AUDIT --key auditor.pem": Walk(says="is signed by"),
    "clip-audit verify AUDIT --public-key auditor.pub.pem":
        Walk(instead={"AUDIT": "SIGNED"}, says="Signed by this key"),
    # docs/store.md
    "clip-audit store add audits/*": Walk(says="added"),
    "clip-audit store add audits/* --move": Walk(says="added"),
    "clip-audit store list": Walk(says="toy/letters"),
    "clip-audit store show 20260102T030405Z-toy": Walk(says="Weights"),
    "clip-audit store verify": Walk(says="complete and unchanged"),
    "clip-audit run plan.toml --store audits-kept": Walk(),
    "clip-audit store verify --head sha256:0123...":
        Walk(instead={"sha256:0123...": "{head}"}, says="complete and unchanged"),
    "clip-audit store prune --keep-last 10 --keep-days 400": Walk(says="a dry run"),
    "clip-audit store prune --keep-last 10 --keep-days 400 --yes": Walk(says="0 of 1 audits"),
    "clip-audit store init --store /mnt/audits --index postgresql+psycopg://auditor@db/audits":
        Walk(parsed="there is no such server; tests/audit/store starts one"),
    "clip-audit store export --out backup/": Walk(says="is a store"),
    "clip-audit store export 20260102T030405Z-toy --out evidence/": Walk(says="evidence"),
    # docs/tracking.md
    "clip-audit track AUDIT --to mlflow --tracking-uri https://mlflow.example.org":
        Walk(instead=SERVER, says="logged: run "),
    "clip-audit track AUDIT --to mlflow --tracking-uri sqlite:///mlflow.db --experiment faces":
        Walk(says="of faces at"),
    # docs/scale.md
    "clip-audit run plan.toml --photos photos.csv --executor processes --workers 2":
        Walk(),
    "clip-audit run plan.toml --photos photos.csv --device cuda --executor ray --ray-address 10.0.0.5:6379 --workers 16 --gpus 0.5":
        Walk(parsed="there is no such cluster"),
    "clip-audit run plan.toml --photos s3://bucket/faces/photos.csv": Walk(instead=STORED),
    "clip-audit run plan.toml --photos s3://bucket/faces/photos.csv --offline":
        Walk(instead=STORED),
    # docs/units.md
    "clip-audit unit AUDIT visual.layer4.2:1895": Walk(instead=AUDITS_UNIT),
    "clip-audit unit AUDIT --concept middle_east": Walk(instead=GROUP),
    'clip-audit unit AUDIT --concept "Middle East" --format json': Walk(instead=GROUP),
    "clip-audit run plan.toml --other ViT-B-32 --other-pretrained laion2b_s34b_b79k": SMALL,
    "clip-audit run plan.toml --directions features.safetensors": Walk(),
    "clip-audit unit AUDIT visual.layer4.2@features:3":
        Walk(instead={"AUDIT": "DIRECTED", "visual.layer4.2@features:3": "toy.colours@features:3"}),
    "clip-audit decompose MODEL FOLDER": Walk(instead={"MODEL": "toy"}),
    "clip-audit decompose MODEL FOLDER --audit AUDIT": Walk(instead={"MODEL": "toy"}),
    "clip-audit decompose embedded:demo photos.csv --units 3 --layer visual.layer4.0 --format json":
        Walk(),
    # docs/visualisation.md
    "clip-audit demo --format json --out audit-runs":
        Walk(parsed="takes minutes; tests/audit/test_demo.py runs it"),
}  # fmt: skip
