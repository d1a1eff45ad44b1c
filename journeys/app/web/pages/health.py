"""`/healthz` (this process lives) and `/readyz` (database, schema and engine answer)."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from journeys.app.web.policy import PUBLIC
from journeys.app.web.visit import Visit, door
from journeys.store.database import WrongSchema, check_schema

router = APIRouter()


@router.get("/healthz")
async def alive(visit: Visit = door(PUBLIC)) -> JSONResponse:
    return JSONResponse({"alive": True})


@router.get("/readyz")
async def ready(visit: Visit = door(PUBLIC)) -> JSONResponse:
    """503 names the part that is missing; each is asked now."""
    found = {"database": True, "schema": True}
    try:
        async with visit.house.writing.acquire() as connection:
            await check_schema(connection)
    except WrongSchema:
        found["schema"] = False
    except (OSError, TimeoutError):
        found["database"] = False
    found["temporal"] = await visit.house.engine_answers()
    return JSONResponse(found, status_code=200 if all(found.values()) else 503)
