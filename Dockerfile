# The image of a device: `python -m services` and what it needs, nothing else.
#   docker build --target device --tag plimsoll/device .   where a registry and an index answer
#   ci/device_images                                       everywhere: see there how
# `harness` adds the harness's hand (fixtures), for devices whose clock and failures are its own.
ARG BASE=python:3.11-slim-bookworm
ARG PACKAGES=fetched

# The packages, as deploy/images/device/packages.lock pins them, hash by hash. A folder `wheels`
# beside it takes the place of an index. Nothing is fetched where PACKAGES names an image that has
# them: builders that make every stage would fetch in vain.
FROM ${BASE} AS fetched
ARG PACKAGES
COPY deploy/images/device/packages.lock wheel[s] /wheels/
RUN [ "$PACKAGES" = fetched ] || exit 0; set -eu; \
    sources=; [ -z "$(find /wheels -name '*.whl')" ] || sources="--no-index --find-links /wheels"; \
    python3 -m venv /opt/plimsoll \
 && /opt/plimsoll/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: \
    --require-hashes --no-deps $sources --requirement /wheels/packages.lock \
 && /opt/plimsoll/bin/pip uninstall --yes --quiet pip setuptools \
 && cd /opt/plimsoll/lib/python3*/site-packages \
 && find numpy pandas numba -type d -name tests -prune -exec rm -r {} +

FROM ${PACKAGES} AS packages

FROM ${BASE} AS device
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin plimsoll \
 && install -d -o plimsoll -g plimsoll /var/lib/plimsoll
COPY --from=packages /opt/plimsoll /opt/plimsoll
ENV PATH=/opt/plimsoll/bin:$PATH \
    PYTHONPATH=/srv/plimsoll:/srv/plimsoll/contracts/python \
    PYTHONUNBUFFERED=1 \
    PLIMSOLL_FOLDER=/var/lib/plimsoll
WORKDIR /srv/plimsoll
# First the files that change seldom and cost most: machine code of the indicators.
COPY deploy/images/device/precompile.py /tmp/
COPY services/indicators/compiled.py services/indicators/
COPY services/indicators/kernels services/indicators/kernels
RUN python /tmp/precompile.py && rm /tmp/precompile.py
# numba reads only a cache that it could also write.
RUN chmod 1777 services/indicators/kernels/__pycache__
COPY pyproject.toml /tmp/
RUN python -c "import pathlib, sys, tomllib; \
project = tomllib.loads(pathlib.Path('/tmp/pyproject.toml').read_text())['project']; \
folder = pathlib.Path(sys.prefix, 'lib', f'python3.{sys.version_info[1]}', 'site-packages', \
f'plimsoll-{project[\"version\"]}.dist-info'); folder.mkdir(); \
(folder / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: plimsoll\n' \
f'Version: {project[\"version\"]}\n')"
COPY contracts/python contracts/python
RUN python -m compileall -q contracts/python
COPY deploy/ports.yaml deploy/
COPY deploy/topologies deploy/topologies
COPY runtime runtime
COPY services services
RUN python -m compileall -q runtime services
USER plimsoll
VOLUME /var/lib/plimsoll
EXPOSE 50050 8050
HEALTHCHECK --interval=5s --timeout=6s --start-period=60s --retries=5 \
  CMD ["python", "-m", "services.beating"]
ENTRYPOINT ["python", "-m", "services"]

FROM device AS harness
USER root
COPY fixtures fixtures
RUN python -m compileall -q fixtures
USER plimsoll
HEALTHCHECK NONE
ENTRYPOINT ["python", "-m", "fixtures.devices.fork_server"]
