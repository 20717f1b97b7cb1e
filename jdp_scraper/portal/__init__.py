"""The portal floor: a site described as data, and the steps on it."""
