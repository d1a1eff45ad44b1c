# The application: `journeys worker`, `journeys migrate` and the rest of the command line, as user 10001.
# Behind a mirror of the package index: docker compose build --build-arg PIP_INDEX_URL=…

FROM python:3.13-slim-trixie AS build

ARG PIP_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1

RUN python -m venv /opt/journeys
ENV PATH=/opt/journeys/bin:$PATH

WORKDIR /src
# Alone, so that a change of the code does not install the libraries again.
COPY constraints.txt ./
RUN pip install --require-hashes --requirement constraints.txt

COPY . ./
RUN pip install --no-deps --no-build-isolation .


FROM python:3.13-slim-trixie

# Numbers, not names, in USER: an orchestrator can then see that it is not root.
RUN groupadd --gid 10001 journeys \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/journeys --shell /usr/sbin/nologin journeys \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/journeys

COPY --from=build /opt/journeys /opt/journeys

ENV PATH=/opt/journeys/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    JOURNEYS_DATA_DIR=/var/lib/journeys

WORKDIR /var/lib/journeys
USER 10001:10001

ENTRYPOINT ["journeys"]
CMD ["--help"]
