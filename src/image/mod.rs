//! What Dockerfiles and image references say.
