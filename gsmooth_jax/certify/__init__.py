"""From images to claims: the compiled kernel, the scheduler that keeps it busy, and the driver that streams."""

from gsmooth_jax.certify.closed_form import ClosedForm as ClosedForm
from gsmooth_jax.certify.config import Execution as Execution
from gsmooth_jax.certify.config import Guarantee as Guarantee
from gsmooth_jax.certify.config import Test as Test
from gsmooth_jax.certify.cover import Cover as Cover
from gsmooth_jax.certify.driver import batch_counter as batch_counter
from gsmooth_jax.certify.driver import certify_stream as certify_stream
from gsmooth_jax.certify.gsmooth import GSmooth as GSmooth
