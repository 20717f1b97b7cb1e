"""A light look at the portal, without the browser and without the session: does it answer as a portal?"""

from __future__ import annotations

import httpx

from jdp_scraper.portal.site import Site

LOOK_S = 10.0


async def fault_of_portal(site: Site, user_agent: str = "") -> str | None:
    """Ask once for the sign-in page, without cookies; return what is wrong with the answer, ``None`` if nothing is."""
    headers = {"User-Agent": user_agent} if user_agent else {}
    try:
        async with httpx.AsyncClient(
            timeout=LOOK_S, follow_redirects=True, headers=headers, trust_env=site.may_use_proxy
        ) as client:
            answer = await client.get(site.url(site.profile.sign_in.address))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"it cannot be reached ({type(error).__name__})"
    if answer.status_code >= 400:
        return f"it answered with status {answer.status_code}"
    if not site.is_own(str(answer.url)):
        return "it leads to another address"
    return None if answer.content else "its page is empty"
