"""GitLab CI: a pipeline that asks whom a change concerns, and a child of it that is made of these services."""

# ruff: noqa: E501 - lines of pipelines are as long as their commands

from collections.abc import Iterator

from shoal.deploy.pipelines.wish import Wish, filled
from shoal.model.artifact import Artifact


def compile_gitlab(wish: Wish) -> tuple[Artifact, ...]:
    """Write the pipelines; images are built as `shoal deploy kubernetes` says."""
    texts = {
        ".gitlab-ci.yml": (_PIPELINE + (_COST if wish.cost else "")).replace(
            "@STAGES@", ", ".join(f'"{name}"' for name in wish.environments)
        ),
        "ci/service.yml": _SERVICE,
        "ci/environments.yml": _REST + "".join(_deploys(wish)),
    }
    return tuple(Artifact(path=path, text=filled(text, wish)) for path, text in texts.items())


def _deploys(wish: Wish) -> Iterator[str]:
    """Write the job of each environment: the first takes what could be built, each further one what the last had."""
    before = ""
    for name in wish.environments:
        needs = f"\n  needs: [{before}]" if before else ""
        when = "manual" if before else "always # a service that fails has no image, and holds up no other"
        yield _DEPLOY.replace("@NEEDS@", needs).replace("@NAME@", name).replace("@WHEN@", when)
        before = name


_PIPELINE = """\
# Written by `shoal deploy pipelines --for gitlab`; write it anew rather than by hand.
# Tests, builds and deploys the services that a change concerns, and no others.
workflow:
  auto_cancel:
    on_new_commit: interruptible
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == "@BRANCH@"
      auto_cancel: {on_new_commit: none} # each push knows its own changes only

stages: [ask, services]

affected:
  stage: ask
  image: docker.io/library/python:@PYTHON@-bookworm
  interruptible: true
  timeout: 10 minutes
  variables:
    GIT_DEPTH: "0" # the revision to compare with must be there
    PIP_CACHE_DIR: $CI_PROJECT_DIR/.cache/pip
  cache:
    key:
      files: [@REQUIREMENTS@]
    paths: [.cache/pip]
  script:
    - apt-get update -qq && apt-get install -qq -y --no-install-recommends jq
    - @INSTALL@
    - shoal contract diff --locked # what breaks consumers stops here
    # A merge request is compared with its branch; a push with the last revision of which everything was built, which a
    # deployment's commit names: what failed since, or was overtaken, is still to be done. Without one, everything is.
    - since="${CI_MERGE_REQUEST_DIFF_BASE_SHA:-$(git log -1 --grep='^Built:' --format='%(trailers:key=Built,valueonly,separator=)')}"
    - git merge-base --is-ancestor "${since:-none}" HEAD || since=0000000000000000000000000000000000000000
    - shoal affected --since "$since"
    - shoal affected --since "$since" -o json > affected.json
    - shoal describe -o json > system.json
    - |
      jq --slurpfile system system.json '
        {
          stages: ["test", "image", "rest", @STAGES@],
          variables: {BUILD: (.build | join(" ")), REST: (([$system[0].services[].name] - .build) | join(" "))},
          include: ([.services[] | {local: "ci/service.yml", inputs: {
            service, folder: (if .folder == "" then "." else .folder end),
            test: (.needs | any(. == "test")), build: (.needs | any(. == "build"))}}]
            + [{local: "ci/environments.yml"}]),
        }
        + if (.test + .build) == [] then {nothing: {stage: "test", script: ["echo no service is concerned"]}} else {} end
        + if .whole then {together: {stage: "test", extends: ".test", script: ["python -m pytest"]}} else {} end
      ' affected.json > services.yml
  artifacts:
    paths: [services.yml, affected.json]
    expire_in: 7 days

each:
  stage: services
  trigger:
    strategy: depend
    include:
      - artifact: services.yml # JSON is YAML
        job: affected
  variables:
    TAG: $CI_COMMIT_SHA
  rules:
    - if: $CI_COMMIT_BRANCH == "@BRANCH@"
      variables: {PUSH: "yes", NAMED: "@BRANCH@", DEPLOY: "yes"}
    - if: $CI_MERGE_REQUEST_LABELS =~ /(^|,)preview(,|$)/ && $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID
      variables: {PUSH: "yes", PREVIEW: "yes"}
    - when: on_success
"""

_COST = """\

cost:
  stage: ask
  image: docker.io/library/python:@PYTHON@-bookworm
  interruptible: true
  timeout: 10 minutes
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
  variables:
    GIT_DEPTH: "0"
    PIP_CACHE_DIR: $CI_PROJECT_DIR/.cache/pip
  cache:
    key:
      files: [@REQUIREMENTS@]
    paths: [.cache/pip]
    policy: pull
  script:
    - apt-get update -qq && apt-get install -qq -y --no-install-recommends curl
    - @INSTALL@
    - shoal cost --target @COST@ --diff "$CI_MERGE_REQUEST_DIFF_BASE_SHA" -o markdown > cost.md
    - cat cost.md
    # A job may not comment by itself: COST_TOKEN is a project's access token with the scope api, masked and protected.
    - |
      if [ -n "$COST_TOKEN" ]; then
        curl --fail --silent --show-error --output /dev/null --header "PRIVATE-TOKEN: $COST_TOKEN" \\
          --data-urlencode body@cost.md \\
          "$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes"
      fi
  artifacts:
    paths: [cost.md]
    expire_in: 30 days
"""

_SERVICE = """\
# Written by `shoal deploy pipelines --for gitlab`; write it anew rather than by hand.
# What one service runs through: its tests, its image, what is in it (SBOM) and who made it (signature).
spec:
  inputs:
    service:
    folder:
    test: {type: boolean}
    build: {type: boolean}
---
"$[[ inputs.service ]]:test":
  extends: .test
  rules:
    - if: '"$[[ inputs.test ]]" == "true"'
  script:
    - status=0; python -m pytest "$[[ inputs.folder ]]" || status=$?
    - if [ "$status" -eq 5 ]; then echo "no tests in $[[ inputs.folder ]]"; else exit "$status"; fi

"$[[ inputs.service ]]:image":
  stage: image
  image: docker.io/library/docker:27.5-cli
  services: [{name: "docker.io/library/docker:27.5-dind", alias: docker}]
  interruptible: true
  timeout: 30 minutes
  # What fails elsewhere holds it up only where all services were tested together.
  needs: [{job: "$[[ inputs.service ]]:test", optional: true}, {job: together, optional: true}]
  rules:
    - if: '"$[[ inputs.build ]]" == "true"'
  variables:
    IMAGE: @REGISTRY@/@SYSTEM@/$[[ inputs.service ]]
    DOCKER_HOST: tcp://docker:2376
    DOCKER_TLS_CERTDIR: /certs
    DOCKER_TLS_VERIFY: "1"
    DOCKER_CERT_PATH: /certs/client
  id_tokens:
    SIGSTORE_ID_TOKEN: # the signature says which pipeline made the image
      aud: sigstore
  before_script:
    - apk add --no-cache cosign jq syft
  script:
    - docker context create builder && docker buildx create --use builder
    - |
      build() {
        docker buildx build --file "@DEPLOY@/images/$[[ inputs.service ]]/Dockerfile" --build-arg REQUIREMENTS=@REQUIREMENTS@ \\
          --label org.opencontainers.image.revision="$TAG" "$@" .
      }
    - if [ "$PUSH" != "yes" ]; then build --output type=cacheonly; exit 0; fi
    - echo "${REGISTRY_PASSWORD:-$CI_JOB_TOKEN}" |
      docker login @HOST@ --username "${REGISTRY_USER:-gitlab-ci-token}" --password-stdin
    - build --tag "$IMAGE:$TAG" ${NAMED:+--tag "$IMAGE:$NAMED"} --push --provenance mode=max --metadata-file built.json
      --cache-from "type=registry,ref=$IMAGE:cache" --cache-to "type=registry,ref=$IMAGE:cache,mode=max"
    - digest="$(jq -r '."containerimage.digest"' built.json)"
    - syft scan "registry:$IMAGE@$digest" --output spdx-json=sbom.spdx.json
    - cosign sign --yes "$IMAGE@$digest"
    - cosign attest --yes --type spdxjson --predicate sbom.spdx.json "$IMAGE@$digest"
    - mkdir -p images && echo "$digest" > "images/$[[ inputs.service ]]"
  artifacts:
    paths: [images/, sbom.spdx.json]
    expire_in: 7 days
"""

_REST = """\
# Written by `shoal deploy pipelines --for gitlab`; write it anew rather than by hand.
# What comes after the services: previews of merge requests, and the environments.
.test:
  stage: test
  image: docker.io/library/python:@PYTHON@-bookworm
  interruptible: true
  timeout: 20 minutes
  variables:
    PIP_CACHE_DIR: $CI_PROJECT_DIR/.cache/pip
  cache:
    key:
      files: [@REQUIREMENTS@]
    paths: [.cache/pip]
    policy: pull
  before_script:
    - @INSTALL@

rest: # Argo CD looks for every image of a preview under the request's last commit
  stage: rest
  image: docker.io/library/docker:27.5-cli
  timeout: 10 minutes
  rules:
    - if: $PREVIEW == "yes" && $REST != ""
  script:
    - echo "${REGISTRY_PASSWORD:-$CI_JOB_TOKEN}" |
      docker login @HOST@ --username "${REGISTRY_USER:-gitlab-ci-token}" --password-stdin
    - for service in $REST; do
      docker buildx imagetools create --tag "@REGISTRY@/@SYSTEM@/$service:$TAG" "@REGISTRY@/@SYSTEM@/$service:@BRANCH@"; done
"""

_DEPLOY = """
@NAME@:
  stage: @NAME@@NEEDS@
  image:
    name: registry.k8s.io/kustomize/kustomize:v5.7.1
    entrypoint: [""]
  timeout: 10 minutes
  environment: @NAME@ # who must agree is set there: Settings, CI/CD, Protected environments
  resource_group: @NAME@ # one after the other
  rules:
    - if: $DEPLOY == "yes"
      when: @WHEN@
  before_script:
    - apk add --no-cache cosign git
  script:
    - "[ -d images ] || exit 0" # nothing was built
    # What was committed since, by the environment before this one too: only on top of it may be pushed.
    - git fetch --quiet origin @BRANCH@ && git checkout --quiet -B @BRANCH@ FETCH_HEAD
    - root="$PWD"; mkdir -p @DEPLOY@/releases/@NAME@; cd @DEPLOY@/releases/@NAME@
    - "[ -f kustomization.yaml ] || kustomize create --resources ../../overlays/@NAME@"
    - |
      for file in "$root"/images/*; do # only what this pipeline has signed, by its digest
        image="@REGISTRY@/@SYSTEM@/$(basename "$file")" digest="$(cat "$file")"
        cosign verify "$image@$digest" --certificate-oidc-issuer "$CI_SERVER_URL" \\
          --certificate-identity-regexp "^$CI_PROJECT_URL//" > /dev/null
        kustomize edit set image "$image=$image@$digest"
      done
    - cd "$root"; git config user.name "pipeline"; git config user.email "pipeline@$CI_SERVER_HOST"
    - git add @DEPLOY@/releases/@NAME@
    - git diff --cached --quiet && exit 0
    - set --; missing=""; for service in $BUILD; do [ -f "images/$service" ] || missing=yes; done
    - '[ -n "$missing" ] || set -- --trailer "Built: $CI_COMMIT_SHA"' # with this the next push is compared
    - git commit --message "Deploy to @NAME@" "$@"
    # Needs: Settings, CI/CD, Job token permissions, Allow Git push requests to the repository.
    - git push --push-option ci.skip "https://gitlab-ci-token:$CI_JOB_TOKEN@$CI_SERVER_HOST/$CI_PROJECT_PATH.git" HEAD:@BRANCH@
  artifacts: # for the next environment
    paths: [images/]
    expire_in: 30 days
"""
