"""GitHub Actions: one workflow that asks whom a change concerns, and one that each of these services runs through."""

# ruff: noqa: E501 - lines of pipelines are as long as their commands

from collections.abc import Iterator

from shoal.deploy.pipelines.pins import pinned
from shoal.deploy.pipelines.wish import Wish, filled
from shoal.model.artifact import Artifact


def compile_github(wish: Wish) -> tuple[Artifact, ...]:
    """Write the workflows; images are built as `shoal deploy kubernetes` says."""
    deploys = "".join(
        _DEPLOY.replace("@NAME@", name).replace("@NEEDS@", needs).replace("@WHEN@", when)
        for name, needs, when in _steps(wish)
    )
    texts = {
        ".github/workflows/services.yml": _SERVICES + (_COST if wish.cost else "") + deploys,
        ".github/workflows/service.yml": _SERVICE,
    }
    return tuple(Artifact(path=path, text=pinned(filled(text, wish))) for path, text in texts.items())


def _steps(wish: Wish) -> Iterator[tuple[str, str, str]]:
    """Name each environment, the jobs that come before it, and what must have become of them."""
    needs, when = "affected, service, together", _FIRST
    for environment in wish.environments:
        yield environment, needs, when
        needs, when = f"affected, {environment}", f"needs.{environment}.result == 'success'"


_FIRST = """\
needs.affected.result == 'success' && needs.service.result != 'cancelled' &&
      needs.together.result != 'failure'"""


_SERVICES = """\
# Written by `shoal deploy pipelines --for github`; write it anew rather than by hand.
# Tests, builds and deploys the services that a change concerns, and no others.
name: services

on:
  push:
    branches: [@BRANCH@]
  pull_request:
    types: [opened, synchronize, reopened, labeled]
  merge_group:

permissions: {} # each job asks for what it needs

concurrency:
  # Each push by itself: none waits for who must agree to the one before.
  group: services-${{ github.event_name == 'pull_request' && github.ref || github.sha }}
  cancel-in-progress: ${{ github.event_name == 'pull_request' }}

defaults:
  run:
    shell: bash # with -eo pipefail

jobs:
  affected:
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: read
      actions: read # which push was deployed last
    outputs:
      services: ${{ steps.affected.outputs.services }}
      build: ${{ steps.affected.outputs.build }}
      rest: ${{ steps.affected.outputs.rest }}
      whole: ${{ steps.affected.outputs.whole }}
    steps:
      - uses: @actions/checkout
        with:
          fetch-depth: 0 # the revision to compare with must be there
          persist-credentials: false
      - uses: @actions/setup-python
        with:
          python-version: "@PYTHON@"
          cache: pip
          cache-dependency-path: @REQUIREMENTS@
      - run: @INSTALL@
      - name: What breaks consumers stops here
        run: shoal contract diff --locked
      - id: affected
        env: # a pull request is compared with the branch that it was merged into for this run
          SINCE: ${{ github.event_name == 'pull_request' && 'HEAD^1' || github.event.merge_group.base_sha || github.event.before }}
          GH_TOKEN: ${{ github.token }}
        run: |
          if [ "$GITHUB_EVENT_NAME" = push ]; then # what failed or was overtaken since the last success is still to be done
            last="$(gh run list --workflow services.yml --branch "$GITHUB_REF_NAME" --event push --status success \\
              --limit 1 --json headSha --jq '.[].headSha')"
            if git merge-base --is-ancestor "${last:-none}" HEAD; then SINCE="$last"; fi
          fi
          shoal affected --since "$SINCE" -o json > affected.json
          shoal describe -o json > system.json
          jq -r '
            "services=" + ([.services[] | {service, folder, test: (.needs | any(. == "test")),
                                           build: (.needs | any(. == "build"))} | select(.test or .build)] | tojson),
            "build=" + (.build | tojson),
            "whole=" + (.whole | tostring)' affected.json >> "$GITHUB_OUTPUT"
          jq -r --slurpfile found affected.json \\
            '"rest=" + (([.services[].name] - $found[0].build) | join(" "))' system.json >> "$GITHUB_OUTPUT"
          { echo '```'; shoal affected --since "$SINCE"; echo '```'; } >> "$GITHUB_STEP_SUMMARY"

  service:
    name: ${{ matrix.service }}
    needs: affected
    if: needs.affected.outputs.services != '[]'
    strategy:
      fail-fast: false
      matrix:
        include: ${{ fromJSON(needs.affected.outputs.services) }}
    permissions:
      contents: read
      packages: write
      id-token: write # the signature says which workflow made the image
    uses: ./.github/workflows/service.yml
    with:
      service: ${{ matrix.service }}
      folder: ${{ matrix.folder }}
      test: ${{ matrix.test }}
      build: ${{ matrix.build }}
      # A pull request of a fork pushes nothing; one of ours does when somebody asks for a preview.
      push: ${{ github.event_name == 'push' || (contains(github.event.pull_request.labels.*.name, 'preview') && github.event.pull_request.head.repo.full_name == github.repository) }}
      tag: ${{ github.event.pull_request.head.sha || github.sha }}
    secrets: inherit

  together:
    name: all services together
    needs: affected
    if: needs.affected.outputs.whole == 'true'
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    permissions:
      contents: read
    steps:
      - uses: @actions/checkout
        with:
          persist-credentials: false
      - uses: @actions/setup-python
        with:
          python-version: "@PYTHON@"
          cache: pip
          cache-dependency-path: @REQUIREMENTS@
      - run: @INSTALL@
      - run: python -m pytest

  preview:
    name: images of the services that did not change
    needs: [affected, service]
    # Argo CD deploys each pull request that is labelled; it looks for every image under the request's last commit.
    if: >-
      !cancelled() && needs.service.result != 'failure' && needs.affected.result == 'success' &&
      contains(github.event.pull_request.labels.*.name, 'preview') &&
      github.event.pull_request.head.repo.full_name == github.repository
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      packages: write
    steps:
      - name: Let the images of the branch bear the tag, too
        env:
          REST: ${{ needs.affected.outputs.rest }}
          TAG: ${{ github.event.pull_request.head.sha }}
          USER: ${{ vars.REGISTRY_USER || github.actor }}
          PASSWORD: ${{ secrets.REGISTRY_PASSWORD || secrets.GITHUB_TOKEN }}
        run: |
          docker login @HOST@ --username "$USER" --password-stdin <<< "$PASSWORD"
          for service in $REST; do
            docker buildx imagetools create --tag "@REGISTRY@/@SYSTEM@/$service:$TAG" "@REGISTRY@/@SYSTEM@/$service:@BRANCH@"
          done
"""

_COST = """\

  cost:
    name: what it costs a month
    if: github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name == github.repository
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: read
      pull-requests: write # one comment, which is written anew
    steps:
      - uses: @actions/checkout
        with:
          fetch-depth: 0 # the revision to compare with must be there
          persist-credentials: false
      - uses: @actions/setup-python
        with:
          python-version: "@PYTHON@"
          cache: pip
          cache-dependency-path: @REQUIREMENTS@
      - run: @INSTALL@
      - name: Compare with the branch that it is merged into
        run: |
          { echo '<!-- shoal cost -->'; shoal cost --target @COST@ --diff HEAD^1 -o markdown; } > cost.md
          cat cost.md >> "$GITHUB_STEP_SUMMARY"
      - name: Say so in the pull request
        env:
          GH_TOKEN: ${{ github.token }}
          NUMBER: ${{ github.event.pull_request.number }}
        run: |
          ours='.[] | select(.body | startswith("<!-- shoal cost -->")) | .id'
          id="$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments" --jq "$ours" | head -n 1)"
          if [ -n "$id" ]; then
            gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" -F body=@cost.md > /dev/null
          else
            gh pr comment "$NUMBER" --body-file cost.md
          fi
"""

_DEPLOY = """\

  @NAME@:
    needs: [@NEEDS@]
    # A service whose tests fail has no image, and holds up no other.
    if: >-
      !cancelled() && github.event_name == 'push' && needs.affected.outputs.build != '[]' &&
      @WHEN@
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    environment: @NAME@ # who must agree is set there: Settings, Environments, Required reviewers
    concurrency:
      group: deploy-@NAME@ # one after the other, and none is cut off
      cancel-in-progress: false
    permissions:
      contents: write # Argo CD deploys what is committed
      packages: read
    steps:
      - uses: @actions/checkout
        with:
          ref: @BRANCH@
      - uses: @actions/download-artifact
        with:
          pattern: image-*
          path: images
          merge-multiple: true
      - uses: @sigstore/cosign-installer
      - name: Only what this workflow has signed, by its digest
        env:
          SIGNER: ${{ github.server_url }}/${{ github.repository }}/.github/workflows/service.yml@${{ github.ref }}
          USER: ${{ vars.REGISTRY_USER || github.actor }}
          PASSWORD: ${{ secrets.REGISTRY_PASSWORD || secrets.GITHUB_TOKEN }}
        run: |
          docker login @HOST@ --username "$USER" --password-stdin <<< "$PASSWORD"
          [ -d images ] || exit 0 # nothing was built
          mkdir -p @DEPLOY@/releases/@NAME@
          cd @DEPLOY@/releases/@NAME@
          [ -f kustomization.yaml ] || kustomize create --resources ../../overlays/@NAME@
          for file in "$GITHUB_WORKSPACE"/images/*; do
            image="@REGISTRY@/@SYSTEM@/$(basename "$file")" digest="$(cat "$file")"
            cosign verify "$image@$digest" --certificate-identity "$SIGNER" \\
              --certificate-oidc-issuer https://token.actions.githubusercontent.com > /dev/null
            kustomize edit set image "$image=$image@$digest"
          done
      - name: Commit
        run: |
          git config user.name "github-actions[bot]"
          git config user.email "41898282+github-actions[bot]@users.noreply.github.com"
          [ -d images ] || exit 0
          git add @DEPLOY@/releases/@NAME@
          git diff --cached --quiet && exit 0
          git commit --message "Deploy to @NAME@: $(cd images && echo *)"
          for attempt in 1 2 3; do
            git push origin HEAD:@BRANCH@ && exit 0
            git pull --rebase origin @BRANCH@
          done
          exit 1
"""

_SERVICE = """\
# Written by `shoal deploy pipelines --for github`; write it anew rather than by hand.
# What one service runs through: its tests, its image, what is in it (SBOM) and who made it (signature).
name: service

on:
  workflow_call:
    inputs:
      service: {type: string, required: true}
      folder: {type: string, required: true}
      test: {type: boolean, required: true}
      build: {type: boolean, required: true}
      push: {type: boolean, required: true}
      tag: {type: string, required: true}

permissions: {}

defaults:
  run:
    shell: bash

jobs:
  test:
    if: inputs.test
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    permissions:
      contents: read
    steps:
      - uses: @actions/checkout
        with:
          persist-credentials: false
      - uses: @actions/setup-python
        with:
          python-version: "@PYTHON@"
          cache: pip
          cache-dependency-path: @REQUIREMENTS@
      - run: @INSTALL@
      - name: Test
        env:
          SERVICE: ${{ inputs.service }}
          FOLDER: ${{ inputs.folder }}
        run: |
          status=0
          python -m pytest "${FOLDER:-.}" || status=$?
          if [ "$status" -eq 5 ]; then # pytest has found no test
            echo "::notice::$SERVICE has no tests in ${FOLDER:-its folder}"
          else
            exit "$status"
          fi

  image:
    needs: test
    if: "!cancelled() && inputs.build && needs.test.result != 'failure'"
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    permissions:
      contents: read
      packages: write
      id-token: write
    env:
      IMAGE: @REGISTRY@/@SYSTEM@/${{ inputs.service }}
      RECIPE: @DEPLOY@/images/${{ inputs.service }}/Dockerfile
      SERVICE: ${{ inputs.service }}
      TAG: ${{ inputs.tag }}
    steps:
      - uses: @actions/checkout
        with:
          persist-credentials: false
      - run: docker buildx create --use # the usual builder keeps no cache in a registry
      - name: Build, to see that it can be built
        if: ${{ !inputs.push }}
        run: docker buildx build --file "$RECIPE" --build-arg REQUIREMENTS=@REQUIREMENTS@ --output type=cacheonly .
      - name: Build and push
        if: inputs.push
        id: build
        env:
          USER: ${{ vars.REGISTRY_USER || github.actor }}
          PASSWORD: ${{ secrets.REGISTRY_PASSWORD || secrets.GITHUB_TOKEN }}
          NAMED: ${{ github.event_name == 'push' && '@BRANCH@' || '' }}
        run: |
          docker login @HOST@ --username "$USER" --password-stdin <<< "$PASSWORD"
          docker buildx build --file "$RECIPE" --build-arg REQUIREMENTS=@REQUIREMENTS@ \\
            --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" --label org.opencontainers.image.revision="$TAG" \\
            --tag "$IMAGE:$TAG" ${NAMED:+--tag "$IMAGE:$NAMED"} --push --provenance mode=max --metadata-file built.json \\
            --cache-from "type=registry,ref=$IMAGE:cache" --cache-to "type=registry,ref=$IMAGE:cache,mode=max" .
          echo "digest=$(jq -r '."containerimage.digest"' built.json)" >> "$GITHUB_OUTPUT"
      - uses: @anchore/sbom-action/download-syft
        if: inputs.push
      - uses: @sigstore/cosign-installer
        if: inputs.push
      - name: List what is in it, and sign both
        if: inputs.push
        env:
          DIGEST: ${{ steps.build.outputs.digest }}
        run: |
          syft scan "registry:$IMAGE@$DIGEST" --output spdx-json=sbom.spdx.json
          cosign sign --yes "$IMAGE@$DIGEST"
          cosign attest --yes --type spdxjson --predicate sbom.spdx.json "$IMAGE@$DIGEST"
          mkdir image && echo "$DIGEST" > "image/$SERVICE"
      - uses: @actions/upload-artifact
        if: inputs.push
        with:
          name: image-${{ inputs.service }}
          path: image/
          retention-days: 7
"""
