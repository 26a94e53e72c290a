"""The spider's arguments as a pydantic model, for the services that read its schema."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field, create_model

from crawler.crawl.arguments import ARGUMENTS

if TYPE_CHECKING:
    Parameters = BaseModel
else:
    Parameters = create_model(
        "Parameters",
        __doc__="The arguments of the articles spider.",
        **{
            argument.name: (
                argument.type,
                Field(argument.default, description=argument.meaning),
            )
            for argument in ARGUMENTS
        },
    )
